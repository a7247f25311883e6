/**
 * Computes a study's cells: demonstrations once, then trainings and rollouts, several processes at once. What is on disk
 * is not computed again, and whatever stops it, the same command goes on.
 */
import { NinaError } from '../errors.ts';
import { sweepDrafts } from '../files.ts';
import { spread } from '../jobs/index.ts';
import { lockDirectory } from '../lock.ts';
import { requireOutsideCheckpoints } from '../policy/index.ts';
import type { Progress, Reporter } from '../progress.ts';
import { recordDemonstrations } from '../record/demonstrations.ts';
import type { Cell, Training } from './cells.ts';
import type { Job } from './job.ts';
import { demonstrationsFolder, evaluationFolder, openTraining, type Result, storedTrainings } from './store.ts';

export interface ReproduceReport extends Reporter {
  /** How far the running job of these cells is; undefined when it begins. */
  running(cells: readonly Cell[], now?: Progress): void;
  /** `failure` is the sentence of what went wrong. */
  ended(cells: readonly Cell[], failure: string | undefined): Promise<void>;
}

export interface Failure {
  readonly cells: readonly Cell[];
  readonly failure: string;
}

/** Results on disk, by the hash of their cell. */
export function readResults(out: string): Map<string, Result> {
  return new Map([...storedTrainings(out).values()].flatMap(({ results }) => [...results]));
}

/** Cells without a result, those of one training together, in the order of the cells. */
export function pendingJobs(cells: readonly Cell[], results: ReadonlyMap<string, Result>): Cell[][] {
  const pending = cells.filter(({ hash }) => !results.has(hash));
  const byTraining = new Map<string, Map<string, Cell>>();
  for (const cell of pending) {
    const job = byTraining.get(cell.trainingHash) ?? new Map<string, Cell>();
    // The same cell under two names is one.
    if (!job.has(cell.hash)) job.set(cell.hash, cell);
    byTraining.set(cell.trainingHash, job);
  }
  return [...byTraining.values()].map((job) => [...job.values()]);
}

/**
 * @param out folder of everything it keeps
 * @param width processes at once
 * @returns what failed; the other cells are done
 * @throws NinaError when another process uses `out`, demonstrations cannot be recorded, or `signal` was aborted.
 */
export async function reproduce(
  cells: readonly Cell[],
  { out, width, signal, report }: { out: string; width: number; signal: AbortSignal; report: ReproduceReport },
): Promise<Failure[]> {
  requireOutsideCheckpoints(out);
  using _lock = await lockDirectory(out, report.notice);
  sweepDrafts(out);
  const pending = pendingJobs(cells, readResults(out));
  const sources = new Map(pending.map(([cell]) => [demonstrationsFolder(out, cell.training), cell.training]));
  for (const [folder, training] of sources) await record(folder, training, { width, signal, report });

  const failures: Failure[] = [];
  await spread<Job, void>({
    module: new URL('./job-process.js', import.meta.url),
    jobs: jobsOf(pending, out, report),
    ...{ as: 'processes', workers: Math.min(width, pending.length), signal },
    progress: (i, now) => report.running(pending[i], now),
    async ended(i, outcome) {
      const failure = 'error' in outcome ? outcome.error.message : undefined;
      // Stopped is not failed.
      if (failure !== undefined && signal.aborted) return;
      if (failure !== undefined) failures.push({ cells: pending[i], failure });
      await report.ended(pending[i], failure);
    },
  });
  if (signal.aborted) throw new NinaError('Interrupted. The same command continues where it stopped.');
  return failures;
}

async function record(
  folder: string,
  { suite, demonstrations }: Training,
  { width, signal, report }: { width: number; signal: AbortSignal; report: ReproduceReport },
): Promise<void> {
  await recordDemonstrations({
    ...{ ...demonstrations, suite, out: folder, images: false, workers: width, signal, report },
  });
}

/** Each job's folder is opened when the job is begun. */
function* jobsOf(pending: readonly Cell[][], out: string, report: ReproduceReport): Generator<Job> {
  for (const cells of pending) {
    report.running(cells);
    yield jobOf(out, cells);
  }
}

function jobOf(out: string, cells: readonly Cell[]): Job {
  const [first] = cells;
  const folder = openTraining(out, first);
  return {
    training: first.training,
    data: demonstrationsFolder(out, first.training),
    folder,
    evaluations: cells.map((cell) => ({ folder: evaluationFolder(folder, cell), settings: cell.evaluation })),
  };
}
