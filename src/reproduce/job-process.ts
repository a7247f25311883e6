/** The process of one job: training blocks its thread, so jobs that run at once are processes. */
import { serveJobs } from '../jobs/index.ts';
import { runJob } from './job.ts';

serveJobs(async () => runJob);
