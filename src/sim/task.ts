/**
 * What a task is, made from the text of its file; `suites.ts` reads the files of the suites from disk.
 * The five suites mirror what LIBERO's test: where (spatial), which (object), what (goal), long (10), and many (90).
 */
import { UsageError } from '../errors.ts';
import { fold, type Key, key } from '../random.ts';
import { type Problem, parseBddl } from './bddl/index.ts';

/** Most control steps an episode may take, by suite: the limits used with LIBERO. */
const MAX_STEPS = {
  'tabletop-spatial': 280,
  'tabletop-object': 280,
  'tabletop-goal': 300,
  'tabletop-10': 520,
  'tabletop-90': 400,
} as const;

export type SuiteName = keyof typeof MAX_STEPS;
export const SUITES = Object.keys(MAX_STEPS) as readonly SuiteName[];

/** How many fixed initial states a task has: `initialStateKey` of episodes 0 to 49 at seed 0. */
export const FIXED_INITIAL_STATES = 50;

export interface Task {
  suite: SuiteName;
  index: number;
  /** The task file's name without `.bddl`. */
  name: string;
  instruction: string;
  /** Source text of the task file. */
  bddl: string;
  problem: Problem;
  maxSteps: number;
}

/** @throws UsageError listing the suites. */
export function suiteName(name: string): SuiteName {
  const suite = SUITES.find((known) => known === name);
  if (!suite) throw new UsageError(`There is no suite '${name}'; the suites are ${SUITES.join(', ')}.`);
  return suite;
}

/**
 * A task of a suite.
 * @param index its place among the suite's files in alphabetical order
 * @param name the file's, without `.bddl`
 * @param bddl the file's text
 * @throws NinaError with the line of a mistake in the text.
 */
export function createTask(suite: SuiteName, index: number, name: string, bddl: string): Task {
  const problem = parseBddl(bddl, `${suite}/${name}.bddl`);
  return { suite, index, name, instruction: problem.language, bddl, problem, maxSteps: MAX_STEPS[suite] };
}

/** The placement of a demonstration; never one of an evaluation, whatever the seeds. */
export function demoKey(task: Task, episode: number, seed: number): Key {
  return fold(key(seed), 'demos', task.suite, task.name, episode);
}
