/** The suites on disk: folders of task files beside this module, one file per task, in alphabetical order. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { UsageError } from '../errors.ts';
import { createTask, suiteName, type Task } from './task.ts';

/** The tasks of a suite, in order. @throws UsageError listing the suites. */
export function loadSuite(name: string): Task[] {
  const suite = suiteName(name);
  const folder = path.join(import.meta.dirname, 'suites', suite);
  const files = fs.readdirSync(folder).filter((file) => file.endsWith('.bddl'));
  return files
    .sort()
    .map((file, index) =>
      createTask(suite, index, path.basename(file, '.bddl'), fs.readFileSync(path.join(folder, file), 'utf8')),
    );
}

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
