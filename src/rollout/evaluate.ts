/**
 * Evaluates a checkpoint in closed loop over a suite: episodes spread over worker threads, one line each in
 * `episodes.jsonl`, the sum with intervals. Episodes already on file for the same checkpoint, settings and scene are
 * not run again.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type * as z from 'zod';
import type { NodeDevice } from '../engine/engine.ts';
import { sweepDrafts, writeFileAtomically } from '../files.ts';
import { runJobs } from '../jobs/index.ts';
import { lockDirectory } from '../lock.ts';
import { knows, rankIn, readCheckpoint, requireOutsideCheckpoints, surpriseScale } from '../policy/index.ts';
import { type Reporter, SILENT } from '../progress.ts';
import { playedTask, sceneName, TabletopEnvironment, type Task } from '../sim/index.ts';
import { appendEpisode, type EpisodeLine, type Evaluation, evaluationOf, readEpisodes } from './episodes.ts';
import type { EvalJob, EvalResult, WorkerSettings } from './eval-worker.ts';
import { type EvaluationSettings, evaluationSchema, playableTasks, resolveSettings, runHash } from './settings.ts';

export { evaluationSchema } from './settings.ts';

export interface EvaluationRun {
  /** A checkpoint, or a training run's folder (its newest checkpoint). */
  checkpoint: string;
  /** Folder of episodes.jsonl and the videos. */
  out: string;
  workers: number;
  /** What runs the graphs of a backend that has some; another than the CPU differs in last digits. */
  device?: NodeDevice;
  signal?: AbortSignal;
  /** Told the number of episodes on file, then each episode. */
  report?: Reporter;
}

export interface EvaluationResult extends Evaluation, EvaluationSettings {
  checkpoint: string;
  step: number;
  /** Hash of checkpoint, settings and version; equal runs have equal results. */
  run: string;
  /** The episodes behind the numbers, by task and episode. */
  lines: EpisodeLine[];
}

/**
 * @throws UsageError for a suite, task or multistep that does not exist
 * @throws NinaError when the checkpoint is not sound, `out` is in use, or an episode fails to run (never a 0% result).
 * @example
 * ```ts
 * import { evaluate } from 'nina-vla/rollout';
 *
 * const { success_rate, interval } = await evaluate(
 *   { suite: 'tabletop-object', task: 0, episodes: 1, seed: 100 },
 *   { checkpoint: 'runs/object', out: 'runs/object/eval/first', workers: 1 },
 * );
 * console.log(success_rate, interval); // Wilson's, 95%
 * ```
 */
export async function evaluate(
  input: z.input<typeof evaluationSchema>,
  { checkpoint: location, out, workers, device = 'cpu', signal, report = SILENT }: EvaluationRun,
): Promise<EvaluationResult> {
  const { task, episodes, video, ...rest } = evaluationSchema.parse(input);
  const checkpoint = readCheckpoint(location);
  const { directory, manifest, statistics } = checkpoint;
  const settings = await resolveSettings(rest, checkpoint);
  const tasks = playableTasks(checkpoint, settings, task);
  const run = runHash(checkpoint, settings);
  requireOutsideCheckpoints(out);
  using lock = await lockDirectory(out, report.notice);
  sweepDrafts(out);

  // A chosen sample surprises less than one that is not: there is no scale for it.
  const quantiles = settings.best_of ? undefined : surpriseScale(statistics.surprise, settings.temperature);
  const played = (name: string, episode: number) => {
    const found = tasks.find((t) => t.name === name);
    return (
      found && playedTask(found, { ...settings, episode, knows: (category) => knows(checkpoint.config, category) })
    );
  };
  const file = path.join(out, 'episodes.jsonl');
  const finished = await usableLines(file, run, played, (line) => !video || hasVideo(out, line));
  const find = (name: string, episode: number) =>
    finished.find((line) => line.task === name && line.episode === episode);
  const all = tasks.flatMap((t) => Array.from({ length: episodes }, (_, episode) => ({ task: t, episode })));
  const jobs = all.filter((job) => !find(job.task.name, job.episode));
  const results = runJobs<EvalJob, EvalResult>(
    new URL('./eval-worker.js', import.meta.url),
    { ...settings, checkpoint: directory, video, device } satisfies WorkerSettings,
    jobs.map((job) => ({ task: job.task.index, episode: job.episode })),
    // There is one graphics card, whatever asks it.
    { workers: device === 'cpu' ? workers : 1, signal },
  );
  let done = all.length - jobs.length;
  let successes = all.filter((job) => find(job.task.name, job.episode)?.success).length;
  const tell = () =>
    report.progress({
      ...{ stage: `Evaluating ${settings.suite}`, done, total: all.length, note: `${successes} successful` },
    });
  tell();
  let next = 0;
  for await (const result of results) {
    const job = jobs[next++];
    lock.check();
    const line = toLine({ run, seed: settings.seed, quantiles }, job, result);
    if (result.video) {
      line.video = `${job.task.name}-${job.episode}-${run.slice(0, 8)}.png`;
      writeFileAtomically(path.join(out, line.video), result.video);
    }
    appendEpisode(file, line);
    finished.push(line);
    done++;
    successes += line.success ? 1 : 0;
    tell();
  }
  const lines = all.map((job) => find(job.task.name, job.episode)!);
  return {
    ...evaluationOf(settings.suite, tasks, lines),
    ...settings,
    checkpoint: directory,
    step: manifest.step,
    run,
    lines,
  };
}

/** Lines of this run whose scene is still the present one. */
async function usableLines(
  file: string,
  run: string,
  played: (task: string, episode: number) => Task | undefined,
  usable: (line: EpisodeLine) => boolean,
): Promise<EpisodeLine[]> {
  const present = new Map<string, Pick<TabletopEnvironment, 'engineVersion' | 'sceneHash'>>();
  const kept: EpisodeLine[] = [];
  for (const line of readEpisodes(file).filter((line) => line.run === run && usable(line))) {
    const task = played(line.task, line.episode);
    if (!task) continue;
    const scene = sceneName(task);
    if (!present.has(scene)) {
      using environment = await TabletopEnvironment.open(task);
      present.set(scene, { engineVersion: environment.engineVersion, sceneHash: environment.sceneHash });
    }
    const { engineVersion, sceneHash } = present.get(scene)!;
    if (line.engine === engineVersion && line.scene === sceneHash) kept.push(line);
  }
  return kept;
}

function hasVideo(out: string, { video }: EpisodeLine): boolean {
  return video !== undefined && fs.existsSync(path.join(out, video));
}

function toLine(
  { run, seed, quantiles }: { run: string; seed: number; quantiles: readonly number[] | undefined },
  job: { task: Task; episode: number },
  {
    success,
    steps,
    latencyMs,
    finalState,
    surprise,
    perturbedAt,
    logProb,
    smoothness,
    engine,
    scene,
    instruction,
  }: EvalResult,
): EpisodeLine {
  return {
    run,
    suite: job.task.suite,
    task: job.task.name,
    episode: job.episode,
    seed,
    success,
    steps,
    latency_ms: latencyMs.map((ms) => Math.round(ms * 1000) / 1000),
    final_state: finalState,
    engine,
    scene,
    ...(instruction !== undefined && { instruction }),
    ...(surprise && { surprise: surprise.map((nats) => nats && rounded(nats)) }),
    ...(surprise &&
      quantiles && { ood: surprise.map((nats) => (nats === null ? null : rounded(rankIn(quantiles, nats)))) }),
    ...(perturbedAt !== undefined && { perturbed_at: perturbedAt }),
    ...(logProb && { log_prob: logProb.map(rounded) }),
    ...smoothness,
  };
}

/** Enough digits to read; more only lengthen a line. */
const rounded = (x: number) => Number(x.toPrecision(5));
