/** A worker as its owner has it: a thread, or a process where the work blocks its thread or must end tidily. */
import { fork } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import { NinaError } from '../errors.ts';
import type { Progress } from '../progress.ts';
import type { Reply, Request } from './messages.ts';

export interface JobWorker {
  /** One job at a time. @throws NinaError when it fails (its own sentence) or the worker dies. */
  run(job: unknown, onProgress?: (now: Progress) => void): Promise<unknown>;
  /** Ends the job under way: a thread's at once; a process is asked to, and the job says itself how it ended. */
  stop(): void;
  close(): Promise<void>;
}

export const interrupted = () => new NinaError('Interrupted. The same command continues where it stopped.');

/** @param module compiled code, which calls `serveJobs`: Node 20 does not run TypeScript. */
export function openThread(module: URL, data: unknown): JobWorker {
  const worker = new Worker(module);
  const jobs = exchange((request) => worker.postMessage(request));
  worker.on('message', jobs.receive);
  worker.on('error', (cause) => jobs.end(threadError(cause)));
  worker.on('exit', (code) => jobs.end(new NinaError(`A worker stopped by itself (exit code ${code}).`)));
  worker.postMessage({ kind: 'prepare', data } satisfies Request);
  const close = async () => void (await worker.terminate());
  return {
    run: jobs.run,
    stop() {
      jobs.end(interrupted());
      void close();
    },
    close,
  };
}

/** As `openThread`; the process ends with its parent, even one that was killed. */
export function openProcess(module: URL, data: unknown): JobWorker {
  const child = fork(module, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], serialization: 'advanced' });
  const send = (request: Request) => void (child.connected && child.send(request));
  const jobs = exchange(send);
  child.on('message', jobs.receive);
  const closed = new Promise<void>((resolve) => {
    child.on('error', (cause) => {
      // Of one that was started, 'exit' follows and tells how it ended.
      if (child.pid !== undefined) return;
      jobs.end(new NinaError(`Its process could not be started: ${cause.message}.`));
      resolve();
    });
    child.on('exit', (_, by) => {
      const how = by === null ? 'ended without a word' : `was ended by ${by}`;
      jobs.end(new NinaError(`Its process ${how}${by === 'SIGKILL' ? ' (out of memory?)' : ''}.`));
      resolve();
    });
  });
  send({ kind: 'prepare', data });
  return {
    run: jobs.run,
    stop: () => send({ kind: 'stop' }),
    async close() {
      if (child.connected) child.disconnect();
      await closed;
    },
  };
}

/** Pairs each job with its reply, and with the end of the worker where that comes first. */
function exchange(send: (request: Request) => void) {
  let pending: { done(result: unknown): void; failed(error: Error): void; progress(now: Progress): void } | undefined;
  let ended: Error | undefined;
  return {
    run: (job: unknown, onProgress: (now: Progress) => void = () => {}) =>
      new Promise<unknown>((done, failed) => {
        if (ended) return failed(ended);
        pending = { done, failed, progress: onProgress };
        send({ kind: 'run', job });
      }),
    receive(reply: Reply) {
      if (reply.kind === 'progress') pending?.progress(reply.progress);
      else if (reply.kind === 'done') pending?.done(reply.result);
      else pending?.failed(reply.sentence ? new NinaError(reply.text) : new Error(`A worker failed: ${reply.text}`));
    },
    end(error: Error) {
      ended ??= error;
      pending?.failed(ended);
    },
  };
}

/** What ended a thread; its class is lost between threads. Node says by a code that it could not start or had no memory. */
function threadError(cause: Error & { code?: string }): Error {
  if (cause.name === 'NinaError') return new NinaError(cause.message, { cause });
  if (cause.code?.startsWith('ERR_WORKER_'))
    return new NinaError(
      `A worker thread could not go on: ${cause.message}. Use fewer workers, or give them more memory.`,
      { cause },
    );
  return new Error(`A worker failed: ${cause}`, { cause });
}
