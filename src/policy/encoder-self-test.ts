/** What an encoder answers to one observation, stored in its folder when it is written and asked again when it is read. */
import { meanToken } from '../decoders/index.ts';
import { encoderOf } from '../encoders/index.ts';
import type { Engine } from '../engine/engine.ts';
import { NinaError } from '../errors.ts';
import { noDropout } from '../nn/index.ts';
import { type Observation, observationFromJson, observationToJson } from '../robot/index.ts';
import { freeze } from '../tensor/index.ts';
import type { EncoderFolder, EncoderManifest, EncoderParts } from './encoder-folder.ts';

/**
 * The mean of the tokens [W] of one observation, those of padding left out.
 * @throws NinaError for an encoder whose inputs are normalised by statistics of demonstrations, which such a folder has not.
 */
async function answer(
  { config, params, assets }: EncoderParts,
  observation: Observation,
  engine: Engine,
): Promise<Float32Array> {
  const encoder = encoderOf(config);
  const statistics = encoder.statistics(config).safeParse({});
  if (!statistics.success)
    throw new NinaError(
      `A ${config.name} encoder like this one normalises what it sees by statistics of demonstrations, and an encoder's folder holds none. ` +
        'Save it as a part of a policy.',
    );
  const writer = encoder.writer(config, statistics.data, assets);
  writer.check(observation);
  const arrays = encoder.arrays(config, 1);
  writer.write(observation, arrays, 0);
  const { tokens, mask } = encoder.encode(config, freeze(params), encoder.inputs(config, 1), noDropout);
  using program = await engine.compile({ mean: meanToken(tokens, mask) });
  return (await program.run(arrays)).mean.slice();
}

/** Question and answer of these weights, for `writeEncoderFolder`. */
export async function recordEncoderSelfTest(
  parts: EncoderParts,
  observation: Observation,
  engine: Engine,
): Promise<EncoderManifest['self_test']> {
  const tokens = Array.from(await answer(parts, observation, engine));
  return { observation: observationToJson(observation), tokens };
}

/** Largest difference of a number of the mean token, which are of order one, that another machine's rounding makes. */
const SELF_TEST_TOLERANCE = 1e-3;

/** @throws NinaError for weights that answer otherwise than when they were saved. */
export async function requireEncoderSelfTest(folder: EncoderFolder, engine: Engine): Promise<void> {
  const { observation, tokens } = folder.manifest.self_test;
  const found = await answer(folder, observationFromJson(observation), engine);
  const worst = found.reduce((most, x, i) => Math.max(most, Math.abs(x - (tokens[i] ?? Number.NaN))), 0);
  if (found.length === tokens.length && worst <= SELF_TEST_TOLERANCE) return;
  throw new NinaError(
    `${folder.directory} failed its self-test: on the stored input its mean token differs by ${worst} from the one it gave when ` +
      `it was saved (at most ${SELF_TEST_TOLERANCE} is rounding). Weights or configuration are corrupted: copy the folder again.`,
  );
}
