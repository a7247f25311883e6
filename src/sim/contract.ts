/**
 * What a closed loop needs of a world: a robot in it, a task, and time that passes by its actions. The tabletop on MuJoCo is
 * one (`environment.ts`); a game, another simulator or a real arm are others.
 */
import { fold, type Key, key } from '../random.ts';
import type { Observation, Robot } from '../robot/index.ts';

/** What episodes are filed under, and draw their randomness from. */
export interface TaskName {
  readonly suite: string;
  readonly name: string;
}

export interface Environment extends Disposable {
  readonly robot: Robot;
  /** `maxSteps`: control steps that an episode may take. */
  readonly task: TaskName & { readonly maxSteps: number };
  /** Starts an episode; everything that is drawn follows from the key. */
  reset(initial: Key): Observation;
  /**
   * One control step.
   * @param action [A] as `robot` describes it
   * @throws NinaError for one that the robot cannot execute
   */
  step(action: ArrayLike<number>): { observation: Observation; success: boolean };
  observe(): Observation;
  /** Everything the future depends on: equal states and equal actions have equal futures. */
  state(): Float64Array;
  /**
   * Of an environment that disturbs its episodes: called before each decision of the policy, it may change the world.
   * @returns whether the disturbance has set in
   */
  disturb?(): boolean;
}

/** The placement of an evaluation episode; of a tabletop task at seed 0, episodes 0 to 49 are its fixed initial states. */
export function initialStateKey({ suite, name }: TaskName, episode: number, seed = 0): Key {
  return fold(key(seed), 'initial', suite, name, episode);
}
