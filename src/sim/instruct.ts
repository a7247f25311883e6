/**
 * Asking for something else than the task says, in the task's own scene and from its own placements: does the policy do
 * what it is told, or what such a scene mostly ended in?
 *
 *   other        what another task of the suite asks in the same scene; it fails where the task's own goal is reached too
 *   paraphrase   the task's own request in a held-out phrasing, which neither demonstrations nor pretraining contain
 *
 * Episodes take the possibilities in turn.
 */
import type { Atom } from './bddl/index.ts';
import type { Environment } from './contract.ts';
import type { TabletopEnvironment } from './environment.ts';
import { HELD_OUT } from './grounding/phrasings.ts';
import type { InstructionKind } from './instructions.ts';
import { holds } from './predicates.ts';
import type { Task } from './task.ts';

/** What is asked in an episode. */
export interface Request {
  instruction: string;
  /** All of it must hold. */
  goal: readonly Atom[];
  /** Not all of it may hold; empty: nothing is forbidden. */
  forbidden: readonly Atom[];
}

/**
 * @param suite the tasks of the suite
 * @param knows whether the policy understands every word of a text
 * @returns undefined where nothing else can be asked of the task (which does not depend on the episode)
 */
export function requestOf(
  task: Task,
  suite: readonly Task[],
  { instruct, episode, knows }: { instruct: InstructionKind; episode: number; knows: (text: string) => boolean },
): Request | undefined {
  const { goal } = task.problem;
  const requests: Request[] =
    instruct === 'paraphrase'
      ? HELD_OUT.map((phrasing) => ({ instruction: phrasing(task.instruction), goal, forbidden: [] }))
      : suite
          .filter((other) => sceneOf(other) === sceneOf(task) && !includes(other.problem.goal, goal))
          .map((other) => ({ instruction: other.instruction, goal: other.problem.goal, forbidden: goal }));
  const understood = requests.filter(({ instruction }) => knows(instruction));
  return understood.length === 0 ? undefined : understood[episode % understood.length];
}

/** The environment as it is when something else is asked of it. Whoever opened the environment disposes of it. */
export function asking(environment: TabletopEnvironment, { instruction, goal, forbidden }: Request): Environment {
  const { robot, task, world } = environment;
  const observe = () => ({ ...environment.observe(), instruction });
  const reached = (atoms: readonly Atom[]) => atoms.every((atom) => holds(world, atom));
  return {
    robot,
    task,
    observe,
    reset(initial) {
      environment.reset(initial);
      return observe();
    },
    step(action) {
      environment.step(action);
      return { observation: observe(), success: reached(goal) && !(forbidden.length > 0 && reached(forbidden)) };
    },
    state: () => environment.state(),
    [Symbol.dispose]() {},
  };
}

/** Equal for tasks that differ only in what they ask. */
const sceneOf = ({ problem: { objects, fixtures, regions, init } }: Task): string =>
  JSON.stringify([objects, fixtures, regions, init]);

/** Whether reaching `goal` reaches `part` as well: what lies in a drawer was put there through its opening. */
const includes = (goal: readonly Atom[], part: readonly Atom[]): boolean =>
  part.every(({ predicate, args }) =>
    goal.some((one) => {
      if (predicate === 'open' && one.predicate === 'in' && one.args[1] === args[0]) return true;
      return one.predicate === predicate && one.args.every((arg, i) => arg === args[i]);
    }),
  );
