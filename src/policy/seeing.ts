/** A policy's encoder with its weights inside: one observation to what the decoder sees of it. */
import { encoderOf } from '../encoders/index.ts';
import { cpu } from '../engine/index.ts';
import { noDropout } from '../nn/index.ts';
import type { Observation } from '../robot/index.ts';
import { freeze } from '../tensor/index.ts';
import type { PolicyConfig, PolicyStatistics } from './config.ts';
import { context, type PolicyModel } from './model.ts';

export interface Seeing extends Disposable {
  /**
   * The decoder's context of one observation.
   * @throws NinaError for what the policy was not trained on, and for observations of another size or not finite.
   */
  see(observation: Observation): Promise<Float32Array>;
}

export async function compileSeeing(
  config: PolicyConfig,
  statistics: PolicyStatistics,
  { params }: PolicyModel,
  threads: number,
): Promise<Seeing> {
  const encoder = encoderOf(config.encoder);
  const seen = context(config, freeze(params), encoder.inputs(config.encoder, 1), noDropout);
  const program = await cpu.compile({ context: seen }, { threads, weights: 'packed' });
  return {
    async see(observation) {
      encoder.check(config.encoder, observation);
      // Fresh arrays: a second question may be asked before the first is answered.
      const arrays = encoder.arrays(config.encoder, 1);
      encoder.write(config.encoder, statistics.encoder, observation, arrays, 0);
      return (await program.run(arrays)).context;
    },
    [Symbol.dispose]: () => program[Symbol.dispose](),
  };
}
