/** What `nina reproduce` shows while it runs, and the list of its cells for `--dry-run`. */
import type { Progress } from '../progress.ts';
import {
  type Cell,
  jobMinutes,
  minutesLeft,
  pendingJobs,
  type ReproduceReport,
  readResults,
} from '../reproduce/index.ts';
import { createStatus, duration } from './progress.ts';

/** Between two lines of progress in a log. */
const LOG_INTERVAL_MS = 60_000;

interface Place {
  /** Folder of all results. */
  out: string;
  /** Cells at once. */
  jobs: number;
}

/** @param onEnded called after each job, when its results are on disk */
export function createDisplay(
  study: string,
  cells: readonly Cell[],
  { out, jobs }: Place,
  onEnded: () => Promise<unknown>,
): ReproduceReport {
  const status = createStatus(LOG_INTERVAL_MS);
  const running = new Map<string, { name: string; progress?: Progress }>();
  let results = readResults(out);
  const show = () => {
    const done = cells.filter(({ hash }) => results.has(hash)).length;
    const progresses = new Map(
      [...running].flatMap(([hash, { progress }]) => (progress ? [[hash, progress] as const] : [])),
    );
    const now = [...running.values()].map(({ name, progress: p }) =>
      p === undefined ? name : `${name} ${p.stage} ${p.done}/${p.total} (${p.note})`,
    );
    status.show(
      `${study}: ${done}/${cells.length} cells; ${now.join('; ')}; ${leftText(minutesLeft(cells, results, jobs, progresses))}`,
    );
  };
  return {
    notice: (text) => status.keep(text),
    // Of the demonstrations, before any job.
    progress: ({ stage, done, total }) => status.show(`${stage}: ${done}/${total}`),
    running([cell], progress) {
      running.set(cell.trainingHash, { name: cell.name, progress });
      show();
    },
    async ended(job, failure) {
      running.delete(job[0].trainingHash);
      results = readResults(out);
      for (const { name, hash } of job) {
        const result = results.get(hash);
        if (result) status.keep(`${name}: ${result.successes}/${result.n} successful`);
        else status.keep(`${name}: failed: ${failure}`);
      }
      await onEnded();
    },
  };
}

/** One line per cell: cached or pending, and how long the pending ones take. */
export function listCells(cells: readonly Cell[], { out, jobs }: Place) {
  const results = readResults(out);
  const minutes = new Map<string, number | undefined>();
  for (const job of pendingJobs(cells, results))
    for (const [i, { hash }] of job.entries()) minutes.set(hash, i === 0 ? jobMinutes(job, cells, results) : 0);
  return {
    cells: cells.map(({ name, hash }, i) => ({
      ...{ name, hash, cached: results.has(hash), minutes: minutes.get(hash) },
      // Two names of one cell: a variant that changes nothing.
      same_as: cells.slice(0, i).find((other) => other.hash === hash)?.name,
    })),
    minutes: minutesLeft(cells, results, jobs),
  };
}

/** The list for people. */
export function formatList({ cells, minutes }: ReturnType<typeof listCells>, jobs: number): string {
  const timeText = ({ cached, minutes: own, same_as }: (typeof cells)[number]) => {
    if (same_as !== undefined) return 'same cell';
    if (cached || own === undefined) return '';
    return own === 0 ? 'shares a training' : duration(own * 60_000);
  };
  const line = (cell: (typeof cells)[number]) =>
    `${cell.hash.slice(0, 12)}  ${cell.cached ? 'cached ' : 'pending'}  ${timeText(cell).padStart(17)}  ${cell.name}` +
    `${cell.same_as === undefined ? '' : ` = ${cell.same_as}`}\n`;
  const cached = cells.filter((cell) => cell.cached).length;
  return `${cells.map(line).join('')}${cached} of ${cells.length} cells cached; ${leftText(minutes)}, ${jobs} at once.\n`;
}

function leftText(minutes: number | undefined): string {
  return minutes === undefined ? 'time left not known yet' : `about ${duration(minutes * 60_000)} left`;
}
