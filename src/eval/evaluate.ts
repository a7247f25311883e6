/**
 * Evaluates a checkpoint in closed loop over a suite: episodes spread over worker threads, one line each in
 * `episodes.jsonl`, the sum with intervals. Episodes already on file for the same checkpoint, settings and scene are
 * not run again.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as z from 'zod';
import { UsageError } from '../errors.ts';
import { writeFileAtomically } from '../files.ts';
import { lockDirectory } from '../lock.ts';
import { type Checkpoint, readCheckpoint } from '../policy/index.ts';
import { Environment, type Task } from '../sim/index.ts';
import { packageVersion } from '../version.ts';
import { appendEpisode, type EpisodeLine, type Evaluation, readEpisodes, summarize } from './episodes.ts';
import type { EvalJob, EvalResult, EvalSettings } from './eval-worker.ts';
import { runJobs } from './pool.ts';
import { chooseTasks } from './tasks.ts';

export const evaluationSchema = z.strictObject({
  suite: z.string(),
  /** Index of one task; absent: all. */
  task: z.int().min(0).optional(),
  /** Per task. */
  episodes: z.int().min(1),
  /** Of initial states and of sampling noise. */
  seed: z.int().min(0),
  /** Actions of each chunk to execute; absent: as the checkpoint says. */
  multistep: z.int().min(1).optional(),
  /** Scale of the sampling noise; absent: as the checkpoint says. */
  temperature: z.number().min(0).optional(),
  video: z.boolean().default(false),
});

export interface EvaluationRun {
  /** A checkpoint, or a training run's folder (its newest checkpoint). */
  checkpoint: string;
  /** Folder of episodes.jsonl and the videos. */
  out: string;
  workers: number;
  signal?: AbortSignal;
  /** Called once with the number of episodes on file, then after each episode. */
  onProgress?: (progress: { done: number; total: number; successes: number }) => void;
}

export interface EvaluationResult extends Evaluation {
  checkpoint: string;
  step: number;
  seed: number;
  multistep: number;
  temperature: number;
  /** Hash of checkpoint, settings and version; equal runs have equal results. */
  run: string;
  /** The episodes behind the numbers, by task and episode. */
  lines: EpisodeLine[];
}

/**
 * @throws UsageError for a suite, task or multistep that does not exist
 * @throws NinaError when the checkpoint is not sound, `out` is in use, or an episode fails to run (never a 0% result).
 */
export async function evaluate(
  input: z.input<typeof evaluationSchema>,
  { checkpoint: location, out, workers, signal, onProgress }: EvaluationRun,
): Promise<EvaluationResult> {
  const { task, episodes, video, ...rest } = evaluationSchema.parse(input);
  const checkpoint = readCheckpoint(location);
  const settings = {
    ...rest,
    multistep: chooseMultistep(checkpoint, rest.multistep),
    temperature: rest.temperature ?? checkpoint.config.temperature,
  };
  const tasks = chooseTasks(settings.suite, task);
  const run = runHash(checkpoint, settings);
  using _lock = lockDirectory(out);

  const file = path.join(out, 'episodes.jsonl');
  const finished = await usableLines(file, run, tasks, (line) => !video || hasVideo(out, line));
  const find = (name: string, episode: number) =>
    finished.find((line) => line.task === name && line.episode === episode);
  const all = tasks.flatMap((t) => Array.from({ length: episodes }, (_, episode) => ({ task: t, episode })));
  const jobs = all.filter((job) => !find(job.task.name, job.episode));
  const results = runJobs<EvalJob, EvalResult>(
    new URL('./eval-worker.js', import.meta.url),
    { ...settings, checkpoint: checkpoint.directory, video } satisfies EvalSettings,
    jobs.map((job) => ({ task: job.task.index, episode: job.episode })),
    { workers, signal },
  );
  let done = all.length - jobs.length;
  let successes = all.filter((job) => find(job.task.name, job.episode)?.success).length;
  onProgress?.({ done, total: all.length, successes });
  let next = 0;
  for await (const result of results) {
    const job = jobs[next++]!;
    const line = toLine(run, settings.seed, job, result);
    if (result.video) {
      line.video = `${job.task.name}-${job.episode}-${run.slice(0, 8)}.png`;
      writeFileAtomically(path.join(out, line.video), result.video);
    }
    appendEpisode(file, line);
    finished.push(line);
    done++;
    successes += line.success ? 1 : 0;
    onProgress?.({ done, total: all.length, successes });
  }
  const lines = all.map((job) => find(job.task.name, job.episode)!);
  const { directory, manifest } = checkpoint;
  return {
    ...summarize(settings.suite, tasks, lines),
    checkpoint: directory,
    step: manifest.step,
    seed: settings.seed,
    multistep: settings.multistep,
    temperature: settings.temperature,
    run,
    lines,
  };
}

function chooseMultistep({ config, directory }: Checkpoint, wanted = config.multistep): number {
  const T = config.decoder.chunk_length;
  if (wanted > T)
    throw new UsageError(`--multistep ${wanted} is more than the ${T} actions of a chunk of ${directory}.`);
  return wanted;
}

function runHash({ directory }: Checkpoint, settings: object): string {
  const hash = createHash('sha256');
  // The manifest holds the hashes of configuration, weights and statistics.
  hash.update(fs.readFileSync(path.join(directory, 'manifest.json')));
  hash.update(JSON.stringify([packageVersion, settings]));
  return hash.digest('hex');
}

/** Lines of this run whose scene is still the present one. */
async function usableLines(
  file: string,
  run: string,
  tasks: readonly Task[],
  usable: (line: EpisodeLine) => boolean,
): Promise<EpisodeLine[]> {
  const lines = readEpisodes(file).filter((line) => line.run === run && usable(line));
  const kept: EpisodeLine[] = [];
  for (const task of tasks) {
    const own = lines.filter((line) => line.task === task.name);
    if (own.length === 0) continue;
    using environment = await Environment.open(task);
    const { engineVersion, sceneHash } = environment;
    kept.push(...own.filter((line) => line.engine === engineVersion && line.scene === sceneHash));
  }
  return kept;
}

function hasVideo(out: string, { video }: EpisodeLine): boolean {
  return video !== undefined && fs.existsSync(path.join(out, video));
}

function toLine(run: string, seed: number, job: { task: Task; episode: number }, result: EvalResult): EpisodeLine {
  return {
    run,
    suite: job.task.suite,
    task: job.task.name,
    episode: job.episode,
    seed,
    success: result.success,
    steps: result.steps,
    latency_ms: result.latencyMs.map((ms) => Math.round(ms * 1000) / 1000),
    final_state: result.finalState,
    engine: result.engine,
    scene: result.scene,
  };
}
