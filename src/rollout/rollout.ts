/**
 * One closed-loop episode of any environment. Everything random is a function of (seed, suite, task, episode, step), so an
 * episode is the same in any worker and on every re-run; what belongs to an episode lives in this function.
 */

import { sha256 } from '../hash.ts';
import { type Actor, createSession, type Decision } from '../policy/session.ts';
import { fold, key } from '../random.ts';
import { type Environment, initialStateKey } from '../sim/contract.ts';
import { type Smoothness, smoothness } from './smoothness.ts';

export interface RolloutOptions {
  episode: number;
  seed: number;
  /** Actions of each chunk that are executed, 1 to T; the policy's own unless given. */
  multistep?: number;
  /** Standard deviation of the base noise, the policy's own unless given; 0 is the flow's central action. */
  temperature?: number;
  /** Of this many samples the most likely is executed. */
  bestOf?: number;
  /** Choose among samples that continue what the previous chunk still meant to do. */
  consistent?: boolean;
  /** Called before every action and once at the end, for pictures. */
  onStep?: () => void;
}

export interface Rollout {
  success: boolean;
  /** Control steps taken. */
  steps: number;
  /** One per chunk. */
  latencyMs: number[];
  /** sha256 of the final state: two runs that agree here went the same way. */
  finalState: string;
  /** Of each chunk, nats; null while there is no history. Absent for an actor that cannot tell. */
  surprise?: (number | null)[];
  /** Index of the first chunk that was decided when the environment had disturbed the episode; absent if it did not. */
  perturbedAt?: number;
  /** Of each chunk, nats, as the actor says; absent if it does not. */
  logProb?: number[];
  /** Absent for a robot whose state has no end effector, or whose actions do not move it. */
  smoothness?: Smoothness;
}

/**
 * @throws NinaError when the policy answers with something that is no chunk of the robot's actions.
 * @example
 * ```ts
 * import { loadPolicy } from 'nina-vla/policy';
 * import { rollout } from 'nina-vla/rollout';
 * import { TabletopEnvironment } from 'nina-vla/sim';
 * import { loadSuite } from 'nina-vla/sim/suites';
 *
 * using policy = await loadPolicy('runs/object');
 * using environment = await TabletopEnvironment.open(loadSuite('tabletop-object')[0]);
 * const { success, steps } = await rollout(environment, policy, { episode: 0, seed: 100 });
 * console.log(success, steps);
 * ```
 */
export async function rollout(environment: Environment, actor: Actor, options: RolloutOptions): Promise<Rollout> {
  const { episode, seed, onStep, ...acting } = options;
  const { task, robot } = environment;
  const session = createSession(actor, {
    ...acting,
    key: fold(key(seed), 'rollout', task.suite, task.name, episode),
  });
  const decisions: Decision[] = [];
  const executed: Float32Array[] = [];
  const states: ArrayLike<number>[] = [];
  let perturbedAt: number | undefined;
  let observation = environment.reset(initialStateKey(task, episode, seed));
  let success = false;
  while (executed.length < task.maxSteps && !success) {
    if (session.deciding && environment.disturb?.()) {
      perturbedAt ??= decisions.length;
      observation = environment.observe();
    }
    onStep?.();
    const { action, decision } = await session.act(observation);
    if (decision) decisions.push(decision);
    executed.push(action);
    states.push(observation.state ?? []);
    ({ observation, success } = environment.step(action));
  }
  onStep?.();
  const final = environment.state();
  const surprise = decisions.map((decision) => decision.surprise).filter((nats) => nats !== undefined);
  const logProb = decisions.map((decision) => decision.logProb).filter((nats) => nats !== undefined);
  return {
    ...{ success, steps: executed.length, latencyMs: decisions.map(({ latencyMs }) => latencyMs) },
    finalState: sha256(new Uint8Array(final.buffer, final.byteOffset, final.byteLength)),
    ...{ perturbedAt, ...(surprise.length > 0 && { surprise }), ...(logProb.length > 0 && { logProb }) },
    smoothness: smoothness(robot, executed, [...states, observation.state ?? []], session.multistep),
  };
}
