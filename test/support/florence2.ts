/** An encoder's folder of random weights: a Florence-2 small enough for tests, with the words of florence2-nano. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type EncoderConfig, encoderOf } from '../../src/encoders/index.ts';
import { cpu } from '../../src/engine/index.ts';
import { type EncoderParts, recordEncoderSelfTest, writeEncoderFolder } from '../../src/policy/index.ts';
import { key } from '../../src/random.ts';
import { type Observation, PANDA } from '../../src/robot/index.ts';
import type { StoredTensor } from '../../src/safetensors-format.ts';
import { mapTree, materialise, type NDArray } from '../../src/tensor/index.ts';

const TOKENIZER = path.join(import.meta.dirname, '../../pretrained/florence2-nano/tokenizer.json');

/** Nothing is random in training, so that trainings can be compared. */
export const CALM = { dropout: 0, token_dropout: 0, drop_path: 0, shifts: [0, 0] };

const SIZES = {
  ...{ dims: [4, 8, 8, 8], heads: [1, 2, 2, 2], groups: [1, 2, 2, 2], depths: [1, 1, 1, 1], window: 4 },
  ...{ patch_sizes: [7, 3, 3, 3], strides: [4, 2, 2, 1], pads: [3, 1, 1, 1], image_size: 32 },
  ...{ width: 12, layers: 1, encoder_heads: 2, ffn: 16, vocabulary: 1024, positions: 64 },
  ...{ max_text: 16, prompt: '{instruction}', upside_down: false },
};

const picture = {
  ...{ width: 8, height: 8 },
  data: Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => (i * 37) % 256),
};
export const observation: Observation = {
  instruction: 'pick the can and place it in the basket',
  images: { agentview: picture, eye_in_hand: picture },
};

export function smallFlorence2(seed: number, settings: object = {}): EncoderParts & { readonly config: EncoderConfig } {
  const encoder = encoderOf({ name: 'florence2' });
  const assets = { 'tokenizer.json': fs.readFileSync(TOKENIZER, 'utf8') };
  const chosen = encoder.settings.parse({ ...SIZES, ...CALM, ...settings });
  const config = encoder.configure(chosen, { episodes: [], robot: PANDA, assets });
  return { config, params: materialise(encoder.blueprint(key(seed), config)), assets };
}

export async function writeSmallFlorence2(
  directory: string,
  parts: EncoderParts,
  dtype?: StoredTensor['dtype'],
): Promise<string> {
  const self_test = await recordEncoderSelfTest(parts, observation, cpu);
  writeEncoderFolder(directory, parts, { package_version: '0', origin: { made: 'by a test' }, self_test }, dtype);
  return directory;
}

/** With every weight changed a little. */
export const moved = ({ params, ...parts }: EncoderParts): EncoderParts => ({
  ...parts,
  params: mapTree(params, ({ shape, data }: NDArray) => ({ shape, data: data.map((x) => 1.1 * x) })),
});
