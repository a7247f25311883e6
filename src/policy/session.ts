/**
 * Acting step by step. A policy answers a question with a chunk of T actions and remembers nothing; an episode asks for one
 * action after another. What lies between lives here: the chunk that is being executed (of which `multistep` actions are
 * before the policy is asked again), the choice among samples, and the memory that surprise needs.
 */
import { NinaError } from '../errors.ts';
import { fold, type Key } from '../random.ts';
import { actionSize, checkActions, type Observation, type Robot } from '../robot/index.ts';
import { surpriseHorizon } from './surprise.ts';

/** The part of a policy that acting needs: a pure function of the observation and the key. */
export interface Actor {
  readonly robot: Robot;
  /** T */
  readonly chunkLength: number;
  /** Actions of each chunk to execute, unless the session says otherwise; absent: all. */
  readonly multistep?: number;
  /** @returns a chunk [T, A] within the robot's ranges, and how long deciding took */
  infer(
    observation: Observation,
    options: { key: Key; temperature?: number; bestOf?: number; continuing?: Float32Array },
  ): Promise<{ actions: Float32Array; latencyMs: number; logProb?: number }>;
  /** How many nats less likely a chunk [T * A] is than the central one, given what was seen; absent where there is no density. */
  surprise?(observation: Observation, chunk: Float32Array): Promise<number>;
}

export interface SessionOptions {
  /** All that is random follows from it and the step. */
  readonly key: Key;
  /** Actions of each chunk to execute, 1 to T; the policy's own unless given. */
  readonly multistep?: number;
  /** Scale of the sampling noise; the policy's own unless given. */
  readonly temperature?: number;
  /** Of this many samples the most likely is executed. */
  readonly bestOf?: number;
  /** Prefer samples that continue what the previous chunk still meant to do; needs `multistep` below T. */
  readonly consistent?: boolean;
}

/** What the policy answered when it was asked. */
export interface Decision {
  /** [T, A] */
  readonly chunk: Float32Array;
  readonly latencyMs: number;
  /** Nats; absent where the policy has no density. */
  readonly logProb?: number;
  /** Nats; null while there is too little history, absent where the policy cannot tell. See `surprise.ts`. */
  readonly surprise?: number | null;
}

export interface Session {
  /** Actions of each chunk that are executed. */
  readonly multistep: number;
  /** Whether the next `act` asks the policy. */
  readonly deciding: boolean;
  /**
   * The next action. Observations are kept for half a chunk: do not write into one afterwards.
   * @returns action [A], and the decision if this call asked the policy
   * @throws NinaError when the policy answers with something that is no chunk of actions, or another call is under way.
   */
  act(observation: Observation): Promise<{ action: Float32Array; decision?: Decision }>;
  /** Forgets everything: another episode begins. @throws NinaError while an `act` is under way. */
  reset(key: Key): void;
}

/**
 * @throws NinaError for a `multistep` that the policy's chunks do not have, or nothing left to be consistent with.
 * @example
 * ```ts
 * import { createSession, loadPolicy } from 'nina-vla/policy';
 * import { key } from 'nina-vla/random';
 * import { observationFromJson } from 'nina-vla/robot';
 *
 * using policy = await loadPolicy('runs/object');
 * const session = createSession(policy, { key: key(0), multistep: 5 });
 * const observation = observationFromJson(policy.manifest.self_test.observation); // a robot reads a new one at each step
 * for (let step = 0; step < 6; step++) {
 *   const { action, decision } = await session.act(observation);
 *   console.log(action, decision ? 'begins a chunk' : 'goes on with it'); // decides at steps 0 and 5
 * }
 * ```
 */
export function createSession(policy: Actor, options: SessionOptions): Session {
  const { chunkLength: T, robot } = policy;
  const { multistep = policy.multistep ?? T, temperature, bestOf, consistent } = options;
  if (!Number.isInteger(multistep) || multistep < 1 || multistep > T)
    throw new NinaError(`multistep must be an integer from 1 to ${T}, the actions of a chunk; got ${multistep}.`);
  if (consistent && multistep === T)
    throw new NinaError(
      `consistent needs something that is still being executed: a multistep below the ${T} actions of a chunk.`,
    );
  const A = actionSize(robot);
  const horizon = policy.surprise ? surpriseHorizon(T) : 0;
  let episode = options.key;
  let step = 0;
  /** What is left to execute of the present chunk, and beyond it. */
  let queue: Float32Array[] = [];
  let continuing: Float32Array | undefined;
  /** The last `horizon` steps. */
  let past: { observation: Observation; action: Float32Array }[] = [];
  let busy = false;

  async function decide(observation: Observation): Promise<Decision> {
    const options = { key: fold(episode, step), temperature, bestOf, continuing };
    const { actions: chunk, latencyMs, logProb } = await policy.infer(observation, options);
    const what = `The policy's answer at step ${step}`;
    if (chunk.length !== T * A) throw new NinaError(`${what} has ${chunk.length} numbers; wanted ${T} x ${A}.`);
    checkActions(robot.action, chunk, what);
    const surprise = horizon > 0 ? await judge(chunk) : undefined;
    queue = Array.from({ length: multistep }, (_, t) => chunk.subarray(t * A, (t + 1) * A));
    if (consistent) continuing = chunk.subarray(multistep * A);
    return { chunk, latencyMs, ...(logProb !== undefined && { logProb }), ...(surprise !== undefined && { surprise }) };
  }

  /** Of the chunk that the policy could have planned `horizon` steps ago: what was done since, then what is planned now. */
  async function judge(plan: Float32Array): Promise<number | null> {
    if (past.length < horizon) return null;
    const chunk = new Float32Array(T * A);
    past.forEach(({ action }, t) => {
      chunk.set(action, t * A);
    });
    chunk.set(plan.subarray(0, (T - horizon) * A), horizon * A);
    return policy.surprise!(past[0].observation, chunk);
  }

  const alone = () => {
    if (busy) throw new NinaError('A session answers one call at a time; wait for the action before asking again.');
  };
  return {
    multistep,
    get deciding() {
      return queue.length === 0;
    },
    async act(observation) {
      alone();
      busy = true;
      try {
        const decision = queue.length === 0 ? await decide(observation) : undefined;
        const action = queue.shift()!;
        step++;
        if (horizon > 0) past = [...past, { observation, action }].slice(-horizon);
        return { action, ...(decision && { decision }) };
      } finally {
        busy = false;
      }
    },
    reset(key) {
      alone();
      episode = key;
      step = 0;
      queue = [];
      continuing = undefined;
      past = [];
    },
  };
}
