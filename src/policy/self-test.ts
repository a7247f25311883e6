/**
 * What a checkpoint's weights answer to one observation and one noise, stored when it is saved and asked again when it is
 * loaded (load.ts).
 */
import { decoderOf } from '../decoders/index.ts';
import { encoderOf } from '../encoders/index.ts';
import type { Engine } from '../engine/engine.ts';
import { noDropout } from '../nn/index.ts';
import { type Key, normals } from '../random.ts';
import { denormaliseActions, type Observation, observationToJson } from '../robot/index.ts';
import { freeze, input, symbols } from '../tensor/index.ts';
import type { Manifest } from './checkpoint.ts';
import { observationWriter } from './compiled-encoder.ts';
import { bind, derived } from './model.ts';
import { chunkSize, type PolicyParts, requireFinite } from './policy.ts';

/** A question that is put to a model whose weights go on changing, as those of a training do. */
export interface SelfTest extends Disposable {
  /**
   * Question and answer of the weights as they are now.
   * @throws NotFiniteError for weights that answer with no finite number.
   */
  record(): Promise<Manifest['self_test']>;
}

/**
 * One program from the observation to the actions, over the model's own arrays: recording compiles nothing. It computes as
 * trained, so that the test also judges what other backends make of the weights.
 */
export async function prepareSelfTest(
  { config, statistics, model }: PolicyParts,
  observation: Observation,
  key: Key,
  engine: Engine,
): Promise<SelfTest> {
  const { chunk_length: T, action_dim: A } = config.decoder;
  const values = () => derived(config, model);
  const policy = bind(config, model, freeze(model.params), symbols(values(), DERIVED));
  const seen = policy.context(encoderOf(config.encoder).inputs(config.encoder, 1), noDropout);
  const program = await engine.compile({ actions: policy.decoder.sample(input('z', [1, T, A]), seen) });
  const z = normals(key, chunkSize(config));
  const noise = decoderOf(config.decoder).takesNoise && { z };
  const seenNumbers = observationWriter(config, statistics)(observation);
  return {
    async record() {
      const fed = Object.entries(values()).map(([name, { data }]) => [DERIVED + name, data]);
      const { actions } = await program.run({ ...seenNumbers, ...noise, ...Object.fromEntries(fed) });
      requireFinite(actions);
      return {
        observation: observationToJson(observation),
        z: Array.from(z),
        actions: Array.from(denormaliseActions(config.robot.action, actions.slice())),
      };
    },
    [Symbol.dispose]: () => program[Symbol.dispose](),
  };
}

const DERIVED = 'derived.';
