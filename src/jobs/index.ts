/** Jobs on worker threads and processes. */
export { type Outcome, runJobs, spread, THREAD_BYTES } from './run.ts';
export { type JobContext, serveJobs } from './serve.ts';
export { interrupted, type JobWorker, openThread } from './worker.ts';
