/** Worker thread: records demonstrations. Keeps the environment of the task it works on. */

import { serveJobs } from '../jobs/index.ts';
import { TabletopEnvironment } from '../sim/index.ts';
import { loadSuite } from '../sim/suites.ts';
import { type Attempt, recordAttempt } from './record.ts';

export interface RecordJob {
  task: number;
  attempt: number;
}

export interface RecordSettings {
  suite: string;
  seed: number;
  images: boolean;
}

serveJobs<RecordSettings, RecordJob, Attempt>(async ({ suite, seed, images }) => {
  const tasks = loadSuite(suite);
  let environment: TabletopEnvironment | undefined;
  return async ({ task, attempt }) => {
    if (environment?.task.index !== task) {
      environment?.[Symbol.dispose]();
      environment = undefined;
      environment = await TabletopEnvironment.open(tasks[task]);
    }
    return recordAttempt(environment, attempt, seed, images);
  };
});
