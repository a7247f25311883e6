/** Jobs as processes, a few at once. A failed one does not stop the others. */
import { fork } from 'node:child_process';
import type { Job, JobProgress } from './job.ts';
import type { JobMessage, JobRequest } from './job-process.ts';

export interface JobReport {
  started(index: number): void;
  progress(index: number, progress: JobProgress): void;
  /** `failure` is the sentence of what went wrong. The next job waits for it. */
  ended(index: number, failure: string | undefined): Promise<void>;
}

/**
 * Runs the jobs in order, `width` at once. Once `signal` is aborted no more are begun and the running ones stop.
 * @throws what `report` throws, after the other jobs are stopped.
 */
export async function runJobs(
  jobs: readonly (() => Job)[],
  { width, signal, report }: { width: number; signal: AbortSignal; report: JobReport },
): Promise<void> {
  const broken = new AbortController();
  const stop = AbortSignal.any([signal, broken.signal]);
  let next = 0;
  const lane = async () => {
    try {
      while (next < jobs.length && !stop.aborted) {
        const index = next++;
        report.started(index);
        const failure = await runProcess(jobs[index](), stop, (progress) => report.progress(index, progress));
        await report.ended(index, failure);
      }
    } catch (error) {
      broken.abort();
      throw error;
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(width, jobs.length) }, lane));
  const failed = lanes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}

function runProcess(
  job: Job,
  signal: AbortSignal,
  onProgress: (progress: JobProgress) => void,
): Promise<string | undefined> {
  // Compiled code: Node 20 does not run TypeScript.
  const child = fork(new URL('./job-process.js', import.meta.url), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const stop = () => child.connected && child.send({ kind: 'stop' } satisfies JobRequest);
  signal.addEventListener('abort', stop, { once: true });
  child.send({ kind: 'run', job } satisfies JobRequest);
  return new Promise((resolve) => {
    let end: string | undefined = 'Its process ended without a word.';
    child.on('message', (message: JobMessage) => {
      if (message.kind === 'progress') onProgress(message.progress);
      else end = message.kind === 'done' ? undefined : message.text;
    });
    child.on('error', (cause) => {
      end = `Its process could not be started: ${cause.message}.`;
    });
    child.on('close', (_, by) => {
      signal.removeEventListener('abort', stop);
      resolve(by === null ? end : `Its process was ended by ${by}${by === 'SIGKILL' ? ' (out of memory?)' : ''}.`);
    });
  });
}
