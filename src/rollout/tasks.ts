/** Choosing tasks of a suite by index. */
import { UsageError } from '../errors.ts';
import type { Task } from '../sim/index.ts';
import { loadSuite } from '../sim/suites.ts';

/** All tasks of the suite, or the one at `index`. @throws UsageError for an unknown suite or index. */
export function chooseTasks(suite: string, index?: number): Task[] {
  const tasks = loadSuite(suite);
  if (index === undefined) return tasks;
  const task = tasks[index];
  if (!task)
    throw new UsageError(
      `${suite} has tasks 0 to ${tasks.length - 1}; got --task ${index}. List them with 'nina suites'.`,
    );
  return [task];
}
