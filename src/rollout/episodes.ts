/**
 * `episodes.jsonl`: one line per finished episode, appended at once, so that an interrupted evaluation continues.
 * Lines of other settings may share the file; `run` tells them apart.
 */
import * as fs from 'node:fs';
import * as z from 'zod';
import { NinaError } from '../errors.ts';
import { fileError, writeFileAtomically } from '../files.ts';
import { toJson } from '../json.ts';
import { readJsonLog } from '../json-files.ts';
import { ascending, quantile, type Rate, rate } from '../statistics/index.ts';

const count = z.int().min(0);

const lineSchema = z.object({
  /** Hash of everything the result is a function of: checkpoint, settings, versions. */
  run: z.string(),
  suite: z.string(),
  task: z.string(),
  episode: count,
  seed: count,
  success: z.boolean(),
  steps: count,
  /** Milliseconds of each decision; the only field that differs between runs. */
  latency_ms: z.array(z.number().min(0)),
  /** sha256 of the final simulator state. */
  final_state: z.string(),
  /** MuJoCo's version. */
  engine: z.string(),
  /** Hash of the scene. */
  scene: z.string(),
  /** What was asked, where it was not the task's own instruction. */
  instruction: z.string().optional(),
  /** Of each chunk, nats by which it surprised; null while there was too little history. */
  surprise: z.array(z.number().nullable()).optional(),
  /** Of each chunk, the share of held-out decisions that surprised less: near 1 is out of distribution. */
  ood: z.array(z.number().min(0).max(1).nullable()).optional(),
  /** First chunk that was decided under the perturbation. */
  perturbed_at: count.optional(),
  /** Of each chunk that was executed, nats. */
  log_prob: z.array(z.number()).optional(),
  /** See `smoothness.ts`. */
  seam_jump_m: z.array(z.number()).optional(),
  inside_jump_m: z.number().optional(),
  seam_acceleration: z.array(z.number()).optional(),
  inside_acceleration: z.number().optional(),
  /** File name of the animation, beside this file. */
  video: z
    .string()
    .regex(/^[^/\\\0]+\.png$/, 'wanted the name of a file beside this one')
    .optional(),
});

export type EpisodeLine = z.output<typeof lineSchema>;

const ADVICE = 'A line is no episode: delete the file to evaluate again.';

/**
 * All lines of the file; none when it does not exist. A last line that was cut short by a kill is dropped, also from
 * the file, so that appending continues on a fresh line.
 * @throws NinaError for any other line that is not an episode, or is one for the second time.
 */
export function readEpisodes(file: string): EpisodeLine[] {
  if (!fs.existsSync(file)) return [];
  const episodes = readJsonLog(file, lineSchema, ADVICE);
  const seen = new Map<string, number>();
  episodes.forEach(({ run, suite, task, episode, seed }, i) => {
    const name = JSON.stringify([run, suite, task, episode, seed]);
    const before = seen.get(name);
    if (before !== undefined)
      throw new NinaError(`${file}, line ${i + 1} is the episode of line ${before} for the second time. ${ADVICE}`);
    seen.set(name, i + 1);
  });
  const bytes = fs.readFileSync(file);
  const whole = bytes.lastIndexOf('\n') + 1;
  if (whole < bytes.length) writeFileAtomically(file, bytes.subarray(0, whole));
  return episodes;
}

/** Appends one episode durably. @throws NinaError when the disk is full or the file cannot be written. */
export function appendEpisode(file: string, line: EpisodeLine): void {
  const text = toJson(line);
  try {
    fs.appendFileSync(file, `${text}\n`, { flush: true });
  } catch (cause) {
    throw fileError(`Could not write ${file}`, cause);
  }
}

export interface TaskResult extends Rate {
  task: string;
  instruction: string;
}

export interface Evaluation extends Rate {
  suite: string;
  tasks: TaskResult[];
  latency_ms: { p50: number; p95: number };
  /** Decisions that had an out-of-distribution rank, and the share of them above `UNUSUAL`; absent if none had. */
  ood?: { n: number; unusual: number };
}

/** A rank above this is called unusual: on held-out episodes it happens in 5% of the decisions. */
export const UNUSUAL = 0.95;

export const successRate = (episodes: readonly Pick<EpisodeLine, 'success'>[]): Rate =>
  rate(episodes.filter((episode) => episode.success).length, episodes.length);

/** What a suite's episodes add up to; `tasks` gives the order and the instructions. */
export function evaluationOf(
  suite: string,
  tasks: readonly { name: string; instruction: string }[],
  episodes: readonly EpisodeLine[],
): Evaluation {
  const latencies = ascending(episodes.flatMap((episode) => episode.latency_ms));
  const ranks = episodes.flatMap((episode) => episode.ood ?? []).filter((rank) => rank !== null);
  return {
    suite,
    ...successRate(episodes),
    tasks: tasks.map(({ name, instruction }) => ({
      task: name,
      instruction,
      ...successRate(episodes.filter((episode) => episode.task === name)),
    })),
    latency_ms: { p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95) },
    ...(ranks.length > 0 && {
      ood: { n: ranks.length, unusual: ranks.filter((r) => r > UNUSUAL).length / ranks.length },
    }),
  };
}
