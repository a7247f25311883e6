/**
 * Watches an episode for surprise: does the policy go on as it could have planned a little while ago? See
 * `src/policy/surprise.ts` for what the number means; here is the episode's memory that it needs.
 */
import { surpriseHorizon } from '../policy/index.ts';
import type { Asked } from '../sim/index.ts';
import type { Actor } from './rollout.ts';

export interface Watch {
  /** To be told each action with what was seen before it. */
  executed(input: Asked, action: Float32Array): void;
  /** Nats of a new plan [T * A] at a decision; null while there is too little history. */
  judge(plan: Float32Array): Promise<number | null>;
}

/** Undefined for an actor that cannot tell. */
export function createWatch(actor: Actor): Watch | undefined {
  const horizon = surpriseHorizon(actor.chunkLength);
  if (!actor.surprise || horizon === 0) return undefined;
  const inputs: Asked[] = [];
  const actions: Float32Array[] = [];
  return {
    executed(input, action) {
      inputs.push(input);
      actions.push(action);
    },
    async judge(plan) {
      const input = inputs.at(-horizon);
      if (!input || !actor.surprise) return null;
      const chunk = new Float32Array(plan.length);
      const done = actions.slice(-horizon).flatMap((action) => [...action]);
      chunk.set(done);
      chunk.set(plan.subarray(0, plan.length - done.length), done.length);
      return actor.surprise(input, chunk);
    },
  };
}
