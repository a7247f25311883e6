/**
 * One closed-loop episode. The policy answers with a chunk of T actions, of which the first `multistep` are executed
 * before it is asked again. Everything random is a function of (seed, suite, task, episode, step), so an episode is the
 * same in any worker and on every re-run; what belongs to an episode lives in this function.
 */
import { NinaError } from '../errors.ts';
import { sha256 } from '../hash.ts';
import { fold, type Key, key } from '../random.ts';
import { actionSize, checkActions, PANDA } from '../robot/index.ts';
import { type Asked, asked, type Environment, initialStateKey, type Vec3 } from '../sim/index.ts';
import type { Perturbation } from './perturb.ts';
import { type Smoothness, smoothness } from './smoothness.ts';
import { createWatch } from './watch.ts';

/** A: numbers of an action of the simulator's robot. */
const A = actionSize(PANDA);

/** The part of a policy that a rollout needs: a pure function of the input and the noise key. */
export interface Actor {
  /** T */
  readonly chunkLength: number;
  /** @returns a chunk [T, A] within the robot's range, and how long deciding took */
  infer(
    input: Asked,
    options: { key: Key; temperature: number; bestOf?: number; continuing?: Float32Array },
  ): Promise<{ actions: Float32Array; latencyMs: number; logProb?: number }>;
  /** How many nats less likely a chunk [T * A] is than the central one, given what was seen. */
  surprise?(input: Asked, chunk: Float32Array): Promise<number>;
}

export interface RolloutOptions {
  episode: number;
  seed: number;
  /** Actions of each chunk that are executed, 1 to T. */
  multistep: number;
  /** Standard deviation of the base noise; 0 is the flow's central action. */
  temperature: number;
  /** Of this many samples the most likely is executed. */
  bestOf?: number;
  /** Choose among samples that continue what the previous chunk still meant to do. */
  consistent?: boolean;
  perturbation?: Perturbation;
  /** Called before every action and once at the end, for pictures. */
  onStep?: () => void;
}

export interface Rollout {
  success: boolean;
  /** Control steps taken. */
  steps: number;
  /** One per chunk. */
  latencyMs: number[];
  /** sha256 of the final simulator state: two runs that agree here went the same way. */
  finalState: string;
  /** Of each chunk, nats; null while there is no history. Absent for an actor that cannot tell. */
  surprise?: (number | null)[];
  /** Index of the first chunk that was decided under the perturbation; absent if there was none. */
  perturbedAt?: number;
  /** Of each chunk, nats, as the actor says; absent if it does not. */
  logProb?: number[];
  smoothness: Smoothness;
}

/** @throws NinaError when the policy answers with something that is no chunk of actions. */
export async function rollout(environment: Environment, actor: Actor, options: RolloutOptions): Promise<Rollout> {
  const { episode, seed, multistep, temperature, bestOf, consistent, perturbation, onStep } = options;
  const { task } = environment;
  const noise = fold(key(seed), 'rollout', task.suite, task.name, episode);
  const watch = createWatch(actor);
  const latencyMs: number[] = [];
  const surprise: (number | null)[] = [];
  const logProbs: number[] = [];
  const executed: Float32Array[] = [];
  const positionsM: Vec3[] = [];
  let perturbedAt: number | undefined;
  let continuing: Float32Array | undefined;
  let observation = environment.reset(initialStateKey(task, episode, seed));
  let success = false;
  const look = () => asked(perturbation?.see(observation) ?? observation, task.instruction);
  while (executed.length < task.maxSteps && !success) {
    observation = perturbation?.disturb(environment, observation) ?? observation;
    if (perturbation?.begun) perturbedAt ??= latencyMs.length;
    let input = look();
    const {
      actions: plan,
      latencyMs: ms,
      logProb,
    } = await actor.infer(input, {
      key: fold(noise, executed.length),
      temperature,
      bestOf,
      continuing,
    });
    latencyMs.push(ms);
    if (logProb !== undefined) logProbs.push(logProb);
    checkChunk(plan, actor.chunkLength, task.name, executed.length);
    if (watch) surprise.push(await watch.judge(plan));
    if (consistent) continuing = plan.subarray(multistep * A);
    for (let i = 0; i < multistep && executed.length < task.maxSteps && !success; i++) {
      onStep?.();
      const action = plan.subarray(i * A, (i + 1) * A);
      positionsM.push(observation.eefPosition);
      if (i > 0) input = look();
      watch?.executed(input, action);
      executed.push(action);
      ({ observation, success } = environment.step(action));
    }
  }
  onStep?.();
  const state = environment.state();
  const finalState = sha256(new Uint8Array(state.buffer, state.byteOffset, state.byteLength));
  return {
    ...{ success, steps: executed.length, latencyMs, finalState, perturbedAt },
    ...(watch && { surprise }),
    ...(logProbs.length > 0 && { logProb: logProbs }),
    smoothness: smoothness(executed, [...positionsM, observation.eefPosition], multistep),
  };
}

function checkChunk(actions: Float32Array, T: number, task: string, step: number): void {
  const what = `The policy's answer in ${task} at step ${step}`;
  if (actions.length !== T * A) throw new NinaError(`${what} has ${actions.length} numbers; wanted ${T} x ${A}.`);
  checkActions(PANDA.action, actions, what);
}
