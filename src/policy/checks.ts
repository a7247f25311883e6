/** What a policy is asked beside its observation, which its encoder checks. */
import { decoderOf } from '../decoders/index.ts';
import { NinaError } from '../errors.ts';
import { requireFinite } from '../robot/index.ts';
import type { PolicyConfig } from './config.ts';

/** Chunks [K, D] to be judged. @throws NinaError unless they are whole chunks of finite numbers. */
export function checkChunks(actions: Float32Array, D: number): void {
  if (actions.length === 0 || actions.length % D !== 0)
    throw new NinaError(`Actions must be whole chunks of ${D} numbers; got ${actions.length} numbers.`);
  requireFinite('actions', actions, (i) => ` (number ${i % D} of chunk ${Math.floor(i / D)})`);
}

/** @throws NinaError for a temperature or a number of samples that cannot be drawn. */
export function checkSampling(temperature: number, count: number, name: 'count' | 'bestOf'): void {
  if (!(temperature >= 0 && Number.isFinite(temperature)))
    throw new NinaError(`temperature must be a number of at least 0; got ${temperature}.`);
  if (!Number.isInteger(count) || count < 1) throw new NinaError(`${name} must be an integer from 1; got ${count}.`);
}

/** @throws NinaError for a choice among samples that this decoder cannot make. */
export function checkChoice(
  { decoder }: PolicyConfig,
  { temperature, bestOf, continuing }: { temperature: number; bestOf: number; continuing: Float32Array | undefined },
): void {
  const { chunk_length: T, action_dim: A } = decoder;
  if (bestOf === 1 && !continuing) return;
  if (!decoderOf(decoder).hasDensity)
    throw new NinaError(`A ${decoder.name} decoder has no log-probabilities to choose by; a flow has.`);
  if (bestOf > 1 && temperature === 0)
    throw new NinaError(
      `At temperature 0 all ${bestOf} samples are the same one. Choose a temperature above 0, up to 1.`,
    );
  if (continuing && (continuing.length % A !== 0 || continuing.length >= T * A || continuing.length === 0))
    throw new NinaError(
      `continuing must hold 1 to ${T - 1} actions of ${A} numbers, fewer than the ${T} of a chunk; got ${continuing.length} numbers.`,
    );
  if (continuing) requireFinite('continuing', continuing);
}
