/** A policy's encoder with its weights inside: one observation to what the decoder sees of it. */
import { type Arrays, encoderOf } from '../encoders/index.ts';
import type { Engine } from '../engine/engine.ts';
import { noDropout } from '../nn/index.ts';
import type { Observation } from '../robot/index.ts';
import { freeze } from '../tensor/index.ts';
import { bind, type PolicyParts } from './model.ts';

export interface CompiledEncoder extends Disposable {
  /**
   * The decoder's context of one observation.
   * @throws NinaError for what the policy was not trained on, and for observations of another size or not finite.
   */
  context(observation: Observation): Promise<Float32Array>;
}

/** @param weights what the engine keeps of them */
export async function compileEncoder(
  parts: PolicyParts,
  engine: Engine,
  threads: number,
  weights: 'packed' | 'int8',
): Promise<CompiledEncoder> {
  const { config, model } = parts;
  const policy = bind(config, model, freeze(model.params));
  const seen = policy.context(encoderOf(config.encoder).inputs(config.encoder, 1), noDropout);
  const program = await engine.compile({ context: seen }, { threads, weights });
  const write = observationWriter(parts);
  return {
    context: async (observation) => (await program.run(write(observation))).context,
    [Symbol.dispose]: () => program[Symbol.dispose](),
  };
}

/** Observations to the numbers of the encoder's inputs, by their names, in arrays of their own. */
export function observationWriter({
  config,
  statistics,
  assets,
}: Pick<PolicyParts, 'config' | 'statistics' | 'assets'>): (observation: Observation) => Arrays {
  const encoder = encoderOf(config.encoder);
  const writer = encoder.writer(config.encoder, statistics.encoder, assets);
  return (observation) => {
    writer.check(observation);
    const arrays = encoder.arrays(config.encoder, 1);
    writer.write(observation, arrays, 0);
    return arrays;
  };
}
