/**
 * Worker threads for work that is one pure function of one job (an episode): whoever runs a job, its result is the
 * same, so results do not depend on the number of workers. Results come in job order.
 *
 * A worker module calls `serveJobs`; the main thread iterates over `runJobs`.
 */
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { requireAddressSpace } from '../address-space.ts';
import { NinaError } from '../errors.ts';
import { WORKER_BYTES, workerError } from '../worker.ts';

type Request<Job> = { index: number; job: Job };
type Reply<Result> = { index: number; result: Result } | { index: number; error: { sentence: boolean; text: string } };

/** How far ahead of the slowest job others may run: bounds the results held in memory. */
const LOOKAHEAD_PER_WORKER = 2;

/**
 * Runs every job on `workers` threads of `module`.
 * @param data what every worker gets once, through `serveJobs`
 * @yields results, in the order of `jobs`
 * @throws NinaError when a job fails (its own sentence) or a worker dies; the other workers are stopped. Also when
 * address space is too short for the workers.
 */
export async function* runJobs<Job, Result>(
  module: URL,
  data: unknown,
  jobs: readonly Job[],
  options: { workers: number; signal?: AbortSignal },
): AsyncGenerator<Result, void, undefined> {
  const { signal } = options;
  const count = Math.min(options.workers, jobs.length);
  requireAddressSpace(
    count === 1 ? 'A worker thread needs' : `${count} worker threads need`,
    count * WORKER_BYTES,
    count === 1 ? '' : ', use fewer workers',
  );
  const done = new Map<number, Result>();
  let started = 0;
  let yielded = 0;
  let failure: Error | undefined;
  let wake = () => {};
  const fail = (error: Error) => {
    failure ??= error;
    wake();
  };
  const idle: Worker[] = [];
  const feed = () => {
    while (idle.length > 0 && started < jobs.length && started < yielded + LOOKAHEAD_PER_WORKER * count) {
      const request: Request<Job> = { index: started, job: jobs[started]! };
      idle.pop()!.postMessage(request);
      started++;
    }
  };
  const onAbort = () => fail(new NinaError('Interrupted. The same command continues where it stopped.'));
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort);
  const all = Array.from({ length: count }, () => {
    const worker = new Worker(module, { workerData: data });
    worker.on('message', (reply: Reply<Result>) => {
      if ('error' in reply) {
        const { sentence, text } = reply.error;
        return fail(sentence ? new NinaError(text) : new Error(`A worker failed: ${text}`));
      }
      done.set(reply.index, reply.result);
      idle.push(worker);
      feed();
      wake();
    });
    worker.on('error', (cause) => fail(workerError(cause)));
    worker.on('exit', (code) => fail(new NinaError(`A worker stopped by itself (exit code ${code}).`)));
    return worker;
  });
  idle.push(...all);
  feed();
  try {
    for (; yielded < jobs.length; yielded++) {
      while (!done.has(yielded) && !failure)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      if (failure) throw failure;
      const result = done.get(yielded)!;
      done.delete(yielded);
      yield result;
      feed();
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    for (const worker of all) worker.removeAllListeners('exit');
    await Promise.all(all.map((worker) => worker.terminate()));
  }
}

/**
 * Called by a worker module: prepares once, then answers one job after another.
 * @param prepare gets the data given to `runJobs`; returns the function of a job
 */
export function serveJobs<Data, Job, Result>(prepare: (data: Data) => Promise<(job: Job) => Promise<Result>>): void {
  const port = parentPort;
  if (!port) throw new Error('This module runs as a worker thread only.');
  const ready = prepare(workerData as Data);
  // Told with the first job; until then it must not count as unhandled.
  ready.catch(() => {});
  let queue: Promise<unknown> = Promise.resolve();
  port.on('message', ({ index, job }: Request<Job>) => {
    queue = queue.then(async () => {
      try {
        const result = await (await ready)(job);
        port.postMessage({ index, result } satisfies Reply<Result>);
      } catch (error) {
        const sentence = error instanceof NinaError;
        const text = sentence ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
        port.postMessage({ index, error: { sentence, text } } satisfies Reply<Result>);
      }
    });
  });
}
