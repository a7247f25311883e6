/** Jobs on worker threads and processes. */
export { type Outcome, runJobs, type Spread, spread } from './run.ts';
export { type JobContext, serveJobs } from './serve.ts';
