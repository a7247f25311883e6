/**
 * What a policy is asked must be whole before it is answered: a number that is not finite would come back as one, and
 * look like a fault of the weights.
 */
import { decoderOf } from '../decoders/index.ts';
import * as state from '../encoders/state/index.ts';
import { NinaError } from '../errors.ts';
import type { PolicyConfig } from './config.ts';

/** @throws NinaError for an observation of another size, and naming the first number that is not finite. */
export function checkObservation({ proprio, entities, categories }: state.StateObservation): void {
  const wanted = categories.length * state.ENTITY_SIZE;
  if (proprio.length !== state.PROPRIO_SIZE || entities.length !== wanted)
    throw new NinaError(
      `An observation needs ${state.PROPRIO_SIZE} proprioceptive numbers and ${state.ENTITY_SIZE} for each of its ` +
        `${categories.length} entities (${wanted}); got ${proprio.length} and ${entities.length}.`,
    );
  checkFinite('proprio', proprio);
  checkFinite('entities', entities, (i) => {
    const entity = Math.floor(i / state.ENTITY_SIZE);
    return ` (number ${i % state.ENTITY_SIZE} of entity ${entity}, ${categories[entity]})`;
  });
}

/** Chunks [K, D] to be judged. @throws NinaError unless they are whole chunks of finite numbers. */
export function checkChunks(actions: Float32Array, D: number): void {
  if (actions.length === 0 || actions.length % D !== 0)
    throw new NinaError(`Actions must be whole chunks of ${D} numbers; got ${actions.length} numbers.`);
  checkFinite('actions', actions, (i) => ` (number ${i % D} of chunk ${Math.floor(i / D)})`);
}

/** @throws NinaError for a temperature or a number of samples that cannot be drawn. */
export function checkSampling(temperature: number, count: number, name: 'count' | 'bestOf'): void {
  if (!(temperature >= 0 && Number.isFinite(temperature)))
    throw new NinaError(`temperature must be a number of at least 0; got ${temperature}.`);
  if (!Number.isInteger(count) || count < 1) throw new NinaError(`${name} must be an integer from 1; got ${count}.`);
}

function checkFinite(name: string, values: ArrayLike<number>, where: (i: number) => string = () => ''): void {
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(Math.fround(values[i])))
      throw new NinaError(
        `${name}[${i}] is ${values[i]}${where(i)}: every number that a policy is given must be finite in float32.`,
      );
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
  if (continuing) checkFinite('continuing', continuing);
}
