/**
 * The process of one job: training blocks its thread, so jobs that run at once are processes. It ends with its parent,
 * even one that was killed: a lost connection stops it like Ctrl-C, at the next step.
 */
import { NinaError } from '../errors.ts';
import { type Job, type JobProgress, runJob } from './job.ts';

export type JobRequest = { kind: 'run'; job: Job } | { kind: 'stop' };

export type JobMessage =
  | { kind: 'progress'; progress: JobProgress }
  | { kind: 'failed'; text: string; sentence: boolean }
  | { kind: 'done' };

/** Between two messages of progress. */
const INTERVAL_MS = 500;

const stop = new AbortController();
process.on('disconnect', () => stop.abort());
// A terminal sends Ctrl-C to parent and child; it is the parent's to pass on. What ends a whole group saves here, too.
process.on('SIGINT', () => {});
for (const name of ['SIGTERM', 'SIGHUP']) process.on(name, () => stop.abort());

process.on('message', (request: JobRequest) => {
  if (request.kind === 'stop') stop.abort();
  else void run(request.job);
});

async function run(job: Job): Promise<void> {
  let lastMs = -INTERVAL_MS;
  let message: JobMessage;
  try {
    await runJob(job, {
      signal: stop.signal,
      onProgress: (progress) => {
        const nowMs = performance.now();
        if (nowMs - lastMs < INTERVAL_MS) return;
        lastMs = nowMs;
        send({ kind: 'progress', progress });
      },
    });
    message = { kind: 'done' };
  } catch (error) {
    const sentence = error instanceof NinaError;
    const text = sentence ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
    message = { kind: 'failed', sentence, text };
  }
  send(message, () => process.exit(message.kind === 'done' ? 0 : 1));
}

/** After the parent is gone there is nobody to tell. */
function send(message: JobMessage, then: () => void = () => {}): void {
  if (process.connected) process.send!(message, then);
  else then();
}
