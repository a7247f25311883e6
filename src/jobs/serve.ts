/** A worker's own side: `serveJobs` is the last call of a module that runs as a thread or a process of `run.ts`. */
import { parentPort } from 'node:worker_threads';
import { NinaError } from '../errors.ts';
import type { Progress } from '../progress.ts';
import type { Reply, Request } from './messages.ts';

export interface JobContext {
  /** Aborted when the job should save what it has and end. A thread is ended at once instead. */
  readonly signal: AbortSignal;
  /** Tells how far the job is, at most twice a second. */
  readonly progress: (now: Progress) => void;
  /** Memory of the result that a thread hands over instead of copying it; it is not used here any more. */
  readonly transfer: (memory: ArrayBuffer) => void;
}

/** Between two messages of progress. */
const INTERVAL_MS = 500;

/**
 * Prepares once, then does one job after another.
 * @param prepare gets the data given to the runner; returns the function of a job
 */
export function serveJobs<Data, Job, Result>(
  prepare: (data: Data) => Promise<(job: Job, context: JobContext) => Promise<Result>>,
): void {
  const stop = new AbortController();
  let running = false;
  let ready: Promise<(job: Job, context: JobContext) => Promise<Result>>;
  const reply = (message: Reply, handedOver: readonly ArrayBuffer[] = []) => {
    if (parentPort) parentPort.postMessage(message, handedOver);
    // After the parent is gone there is nobody to tell.
    else if (process.connected) process.send!(message);
  };

  async function run(job: Job): Promise<void> {
    running = true;
    let lastMs = Number.NEGATIVE_INFINITY;
    const progress = (now: Progress) => {
      const ms = performance.now();
      if (ms - lastMs < INTERVAL_MS) return;
      lastMs = ms;
      reply({ kind: 'progress', progress: now });
    };
    try {
      const memories: ArrayBuffer[] = [];
      const transfer = (memory: ArrayBuffer) => void memories.push(memory);
      const result = await (await ready)(job, { signal: stop.signal, progress, transfer });
      reply({ kind: 'done', result }, memories);
    } catch (error) {
      const sentence = error instanceof NinaError;
      const text = sentence ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
      reply({ kind: 'failed', sentence, text });
    }
    running = false;
    if (!parentPort && !process.connected) process.exit();
  }

  const receive = (request: Request) => {
    if (request.kind === 'stop') stop.abort();
    else if (request.kind === 'run') void run(request.job as Job);
    else {
      ready = prepare(request.data as Data);
      // Told with the first job; until then it must not count as unhandled.
      ready.catch(() => {});
    }
  };
  if (parentPort) {
    parentPort.on('message', receive);
    return;
  }
  if (!process.send) throw new Error('This module runs as a worker only.');
  // The parent died while this was loading: what it had to say is nobody's any more.
  if (!process.connected) process.exit();
  process.on('message', receive);
  // A process ends with its parent, at the job's next chance to save.
  process.on('disconnect', () => {
    stop.abort();
    if (!running) process.exit();
  });
  // A terminal sends Ctrl-C to parent and child; it is the parent's to pass on. What ends a whole group saves here, too.
  process.on('SIGINT', () => {});
  for (const name of ['SIGTERM', 'SIGHUP']) process.on(name, () => stop.abort());
}
