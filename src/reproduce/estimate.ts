/** How long the missing cells will take: measured on finished cells of the same variant, else what the recipe expects. */
import type { Progress } from '../progress.ts';
import type { Cell } from './cells.ts';
import { TRAINING } from './job.ts';
import { pendingJobs } from './reproduce.ts';
import type { Result } from './store.ts';

/** Share of a job that is done when it begins its rollouts. */
const TRAINING_SHARE = 0.9;

/**
 * Minutes until all cells have results, at `width` jobs at once; undefined while nothing is known of some variant.
 * @param running how far the running jobs are, by the hash of their training
 */
export function minutesLeft(
  cells: readonly Cell[],
  results: ReadonlyMap<string, Result>,
  width: number,
  running: ReadonlyMap<string, Progress> = new Map(),
): number | undefined {
  const jobs = pendingJobs(cells, results);
  let sum = 0;
  for (const job of jobs) {
    const minutes = jobMinutes(job, cells, results);
    if (minutes === undefined) return undefined;
    sum += minutes * (1 - shareDone(running.get(job[0].trainingHash)));
  }
  return sum / Math.max(1, Math.min(width, jobs.length));
}

/** Minutes of a training and the rollouts of its missing cells; undefined when nothing is known. */
export function jobMinutes(
  job: readonly Cell[],
  cells: readonly Cell[],
  results: ReadonlyMap<string, Result>,
): number | undefined {
  const [first] = job;
  // A sibling's result says that the training itself is finished.
  const trained = cells.some(({ trainingHash, hash }) => trainingHash === first.trainingHash && results.has(hash));
  const alike = cells.flatMap(({ variant, hash }) =>
    variant.name === first.variant.name ? (results.get(hash) ?? []) : [],
  );
  if (alike.length === 0) return trained ? 0 : first.variant.minutes;
  const seconds = alike.map((r) => job.length * r.evaluation_s + (trained ? 0 : r.training_s));
  return seconds.reduce((a, b) => a + b, 0) / seconds.length / 60;
}

function shareDone(progress: Progress | undefined): number {
  if (progress === undefined) return 0;
  const share = progress.done / progress.total;
  return progress.stage === TRAINING ? TRAINING_SHARE * share : TRAINING_SHARE + (1 - TRAINING_SHARE) * share;
}
