/** Worker thread: records demonstrations. Keeps the environment of the task it works on. */

import { serveJobs } from '../jobs/index.ts';
import { TabletopEnvironment } from '../sim/index.ts';
import { createRobotCameras, type RobotCameras } from '../sim/robot-cameras.ts';
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
  let open: { environment: TabletopEnvironment; cameras?: RobotCameras } | undefined;
  return async ({ task, attempt }) => {
    if (open?.environment.task.index !== task) {
      open?.environment[Symbol.dispose]();
      open = undefined;
      const environment = await TabletopEnvironment.open(tasks[task]);
      open = { environment, cameras: images ? createRobotCameras(environment) : undefined };
    }
    return recordAttempt(open.environment, attempt, seed, open.cameras);
  };
});
