/**
 * One closed-loop episode. The policy answers with a chunk of T actions, of which the first `multistep` are executed
 * before it is asked again. Everything random is a function of (seed, suite, task, episode, step), so an episode is the
 * same in any worker and on every re-run; what belongs to an episode lives in this function.
 */
import { ACTION_SIZE, ENTITY_SIZE, PROPRIO_SIZE, writeProprio } from '../data/index.ts';
import { NinaError } from '../errors.ts';
import { sha256 } from '../hash.ts';
import { fold, type Key, key } from '../random.ts';
import { type Entity, type Environment, initialStateKey, type Observation, type Vec3 } from '../sim/index.ts';
import type { Perturbation } from './perturb.ts';
import { type Smoothness, smoothness } from './smoothness.ts';
import { createWatch } from './watch.ts';

/** What the policy is asked. */
export interface PolicyInput {
  /** [11] */
  proprio: Float32Array;
  /** [N, 8] */
  entities: Float32Array;
  categories: readonly string[];
  instruction: string;
}

/** The part of a policy that a rollout needs: a pure function of the input and the noise key. */
export interface Actor {
  /** T */
  readonly chunkLength: number;
  /** @returns a chunk [T, 7] in [-1, 1], and how long deciding took */
  infer(
    input: PolicyInput,
    options: { key: Key; temperature: number; bestOf?: number; continuing?: Float32Array },
  ): Promise<{ actions: Float32Array; latencyMs: number; logProb?: number }>;
  /** How many nats less likely a chunk [T * 7] is than the central one, given what was seen. */
  surprise?(input: PolicyInput, chunk: Float32Array): Promise<number>;
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
  const look = () => policyInput(perturbation?.see(observation) ?? observation, task.instruction);
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
    if (consistent) continuing = plan.subarray(multistep * ACTION_SIZE);
    for (let i = 0; i < multistep && executed.length < task.maxSteps && !success; i++) {
      onStep?.();
      const action = plan.subarray(i * ACTION_SIZE, (i + 1) * ACTION_SIZE);
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

/** An observation as the policy is asked it. */
export function policyInput({ eefPosition, eefQuaternion, gripper, entities }: Observation, instruction: string) {
  const proprio = new Float32Array(PROPRIO_SIZE);
  writeProprio(eefPosition, eefQuaternion, gripper, proprio);
  return {
    proprio,
    entities: entityRow(entities),
    categories: entities.map((entity) => entity.category),
    instruction,
  } satisfies PolicyInput;
}

function checkChunk(actions: Float32Array, T: number, task: string, step: number): void {
  const what = `The policy's answer in ${task} at step ${step}`;
  if (actions.length !== T * ACTION_SIZE)
    throw new NinaError(`${what} has ${actions.length} numbers; wanted ${T} x ${ACTION_SIZE}.`);
  const bad = actions.findIndex((value) => !(value >= -1 && value <= 1));
  if (bad >= 0)
    throw new NinaError(
      `${what} is ${actions[bad]} at row ${Math.floor(bad / ACTION_SIZE)}, dimension ${bad % ACTION_SIZE}; ` +
        'every action must be a number in [-1, 1].',
    );
}

/** [N * 8] of `entities`: position, quaternion, joint of each. */
export function entityRow(entities: readonly Entity[]): Float32Array {
  const out = new Float32Array(entities.length * ENTITY_SIZE);
  entities.forEach((entity, i) => {
    out.set([...entity.position, ...entity.quaternion, entity.joint], i * ENTITY_SIZE);
  });
  return out;
}
