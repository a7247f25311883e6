/**
 * Work that is one function of one job (an episode, a training), spread over workers: whoever does a job, its result is
 * the same, so results do not depend on the number of workers.
 */
import { requireAddressSpace } from '../address-space.ts';
import type { Progress } from '../progress.ts';
import { interrupted, type JobWorker, openProcess, openThread } from './worker.ts';

/** V8's heap and code of a thread: what it cannot reserve ends the process. */
export const THREAD_BYTES = 640e6;

/** How far ahead of the slowest job others may run: bounds the results held in memory. */
const LOOKAHEAD_PER_WORKER = 2;

export interface Spread<Job, Result> {
  /** Compiled code that calls `serveJobs`. */
  readonly module: URL;
  /** What every worker gets once. */
  readonly data?: unknown;
  /** Taken one by one as workers become free. */
  readonly jobs: Iterable<Job>;
  /**
   * Threads do many jobs each and keep what they opened for them. A process does one, blocks nobody, and is asked to end
   * where a thread is ended.
   */
  readonly as: 'threads' | 'processes';
  readonly workers: number;
  /** Once aborted no job is begun, and those under way end. */
  readonly signal?: AbortSignal;
  readonly progress?: (index: number, now: Progress) => void;
  /** What became of a job; its worker waits for it. What it throws stops the others and is thrown. */
  readonly ended: (index: number, outcome: Outcome<Result>) => void | Promise<void>;
}

export type Outcome<Result> = { readonly result: Result } | { readonly error: Error };

/**
 * Does the jobs; a failed one does not stop the others unless `ended` throws.
 * @throws NinaError when address space is too short for the threads; what `ended` throws, after all workers are stopped.
 */
export async function spread<Job, Result>(work: Spread<Job, Result>): Promise<void> {
  const { module, data, jobs, as, workers, signal, progress = () => {}, ended } = work;
  if (as === 'threads')
    requireAddressSpace(
      workers === 1 ? 'A worker thread needs' : `${workers} worker threads need`,
      workers * THREAD_BYTES,
      workers === 1 ? '' : ', use fewer workers',
    );
  const open = as === 'threads' ? openThread : openProcess;
  const active = new Set<JobWorker>();
  let stopped = signal?.aborted ?? false;
  const stop = () => {
    stopped = true;
    for (const worker of active) worker.stop();
  };
  const queue = jobs[Symbol.iterator]();
  let taken = 0;
  let failure: { error: unknown } | undefined;

  /** One worker's life; a process, and one that failed, is followed by a fresh one. */
  async function lane(): Promise<void> {
    let worker: JobWorker | undefined;
    const close = async () => {
      const closing = worker;
      worker = undefined;
      if (closing) active.delete(closing);
      await closing?.close();
    };
    try {
      while (!stopped) {
        const next = queue.next();
        if (next.done) break;
        const index = taken++;
        worker ??= open(module, data);
        active.add(worker);
        const outcome = await worker
          .run(next.value, (now) => progress(index, now))
          .then(
            (result) => ({ result: result as Result }),
            (error: Error) => ({ error }),
          );
        if (as === 'processes' || 'error' in outcome) await close();
        await ended(index, outcome);
      }
    } catch (error) {
      failure ??= { error };
      stop();
    } finally {
      await close();
    }
  }

  signal?.addEventListener('abort', stop);
  try {
    await Promise.all(Array.from({ length: workers }, lane));
  } finally {
    signal?.removeEventListener('abort', stop);
  }
  if (failure) throw failure.error;
}

/**
 * Does every job on threads of `module`.
 * @param data what every thread gets once, through `serveJobs`
 * @yields results, in the order of `jobs`
 * @throws NinaError when a job fails (its own sentence), a thread dies, `signal` is aborted or address space is too short;
 * the other threads are stopped.
 */
export async function* runJobs<Job, Result>(
  module: URL,
  data: unknown,
  jobs: readonly Job[],
  options: { workers: number; signal?: AbortSignal },
): AsyncGenerator<Result, void, undefined> {
  const workers = Math.min(options.workers, jobs.length);
  const leave = new AbortController();
  const stop = () => leave.abort();
  if (options.signal?.aborted) stop();
  options.signal?.addEventListener('abort', stop);
  const done = new Map<number, Result>();
  let yielded = 0;
  let wake = () => {};
  let changed = Promise.resolve();
  const change = () => {
    wake();
    changed = new Promise((resolve) => {
      wake = resolve;
    });
  };
  change();
  let end: { error: unknown } | undefined;
  const work = spread<Job, Result>({
    ...{ module, data, jobs, workers, as: 'threads', signal: leave.signal },
    async ended(index, outcome) {
      if ('error' in outcome) throw outcome.error;
      done.set(index, outcome.result);
      change();
      while (index >= yielded + LOOKAHEAD_PER_WORKER * workers && !leave.signal.aborted) await changed;
    },
  }).then(
    () => {
      end = { error: interrupted() };
    },
    (error) => {
      end = { error };
    },
  );
  void work.then(change);
  try {
    for (; yielded < jobs.length; yielded++) {
      while (!done.has(yielded) && !end) await changed;
      if (!done.has(yielded)) throw end!.error;
      const result = done.get(yielded) as Result;
      done.delete(yielded);
      change();
      yield result;
    }
  } finally {
    options.signal?.removeEventListener('abort', stop);
    stop();
    change();
    await work;
  }
}
