import * as fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { cpu } from '../../engine/index.ts';
import { noDropout } from '../../nn/index.ts';
import { fold, key } from '../../random.ts';
import { type Observation, PANDA, stateSize } from '../../robot/index.ts';
import { freeze, input, materialise, type Tensor } from '../../tensor/index.ts';
import { encoderOf, encoderSchema } from '../index.ts';
import type { Florence2Config } from './config.ts';
import { drawShift, preprocess } from './pictures.ts';

const tokenizer = fs.readFileSync(
  new URL('../../../test/fixtures/florence2/tokenizer-tiny.json', import.meta.url),
  'utf8',
);
const assets = { 'tokenizer.json': tokenizer };
const member = encoderOf({ name: 'florence2' });

const SIZES = {
  ...{ image_size: 32, views: ['agentview', 'eye_in_hand'], max_text: 16, window: 3, prompt: '{instruction}' },
  ...{ dims: [4, 6, 8, 12], heads: [1, 2, 2, 3], groups: [2, 3, 4, 2], depths: [1, 1, 1, 1] },
  ...{ patch_sizes: [7, 3, 3, 3], strides: [4, 2, 2, 1], pads: [3, 1, 1, 1] },
  ...{ width: 12, layers: 1, encoder_heads: 3, ffn: 16, vocabulary: 400, positions: 32 },
};

const INSTRUCTION = 'open the top drawer';
const WORDS = [0, 292, 262, 346, 298, 2];
const PICTURE = { width: 40, height: 40 };
const episode = {
  where: 'demo 0',
  instruction: INSTRUCTION,
  categories: [],
  views: { agentview: PICTURE, eye_in_hand: PICTURE },
};

const configured = (settings: object = {}, episodes = [episode]) =>
  member.configure(member.settings.parse({ ...SIZES, ...settings }), {
    episodes,
    robot: PANDA,
    assets,
  }) as Florence2Config;

function observation(seed: number): Required<Pick<Observation, 'images' | 'state' | 'instruction'>> {
  const picture = (from: number) => ({
    ...PICTURE,
    data: Uint8Array.from({ length: 40 * 40 * 3 }, (_, i) => (i * from + (i >> 5)) % 256),
  });
  const images = { agentview: picture(7 + seed), eye_in_hand: picture(11 + seed) };
  return { images, state: Array.from({ length: stateSize(PANDA) }, (_, i) => i + seed), instruction: INSTRUCTION };
}

describe('configuration', () => {
  test('is what its schema reads', () => {
    for (const settings of [{}, { proprio: true }]) {
      const config = configured(settings);
      expect(encoderSchema.parse(config)).toEqual(config);
      expect(config.state_size).toBe('proprio' in settings ? stateSize(PANDA) : undefined);
    }
    expect(member.tokens(member.settings.parse(SIZES))).toEqual({ count: 2 * 5 + 1 + 16, width: 12, masked: true });
  });

  test('a preset has its sizes, and they are no settings', () => {
    const nano = encoderOf({ name: 'florence2-nano' });
    const config = nano.configure(nano.settings.parse({}), { episodes: [], robot: PANDA, assets: {} });
    expect(encoderSchema.parse(config)).toMatchObject({
      name: 'florence2-nano',
      dims: [24, 48, 96, 128],
      max_text: 32,
    });
    expect(nano.settings.safeParse({ width: 12 }).success).toBe(false);
    expect(nano.settings.safeParse({ views: ['a', 'b', 'c'] }).error?.issues[0].message).toBe(
      'every view needs a largest shift; got 2 for 3 views',
    );
  });

  test('an episode without pictures, or with too long an instruction, is named', () => {
    expect(() => configured({}, [{ ...episode, views: { agentview: PICTURE } as never }])).toThrow(
      "demo 0 has no pictures of eye_in_hand, which the encoder florence2 reads; it has agentview. Record with 'nina demos --images', or choose other views.",
    );
    expect(() => configured({ max_text: 5 })).toThrow('"open the top drawer" is 6 tokens with its prompt');
  });
});

describe('the writer', () => {
  test('writes pictures, words and the state into their row', () => {
    const config = configured({ proprio: true });
    const P = stateSize(PANDA);
    const state = { mean: new Array<number>(P).fill(1), std: new Array<number>(P).fill(2) };
    const { check, write } = member.writer(config, { state }, assets);
    const arrays = member.arrays(config, 2) as Record<string, Float32Array>;
    const seen = observation(3);
    check(seen);
    write(seen, arrays, 1);
    const expected = new Float32Array(3 * 32 * 32);
    for (const [v, view] of (['agentview', 'eye_in_hand'] as const).entries()) {
      preprocess(seen.images[view], { size: 32, upsideDown: true }, expected, 0);
      expect(arrays['florence2.pixels'].subarray((2 + v) * expected.length, (3 + v) * expected.length)).toEqual(
        expected,
      );
    }
    expect(Array.from(arrays['florence2.ids'], Number)).toEqual([
      ...new Array<number>(16).fill(0),
      ...WORDS,
      ...new Array<number>(10).fill(1),
    ]);
    expect([...arrays['florence2.real']]).toEqual([
      ...new Array<number>(16).fill(0),
      ...WORDS.map(() => 1),
      ...new Array<number>(10).fill(0),
    ]);
    expect([...arrays['florence2.state']]).toEqual(
      [...new Array<number>(P).fill(0), ...(seen.state as number[])].map((v, i) => (i < P ? 0 : (v - 1) / 2)),
    );
    expect(Object.keys(arrays)).toEqual(Object.keys(member.inputs(config, 2)));
  });

  test('training shifts each view by its own draw', () => {
    const config = configured();
    const { write } = member.writer(config, {}, assets);
    const arrays = member.arrays(config, 1) as Record<string, Float32Array>;
    const seen = observation(0);
    write(seen, arrays, 0, key(9));
    const expected = new Float32Array(3 * 32 * 32);
    const shift = drawShift(fold(key(9), 'eye_in_hand'), 4);
    preprocess(seen.images.eye_in_hand, { size: 32, upsideDown: true, shift }, expected, 0);
    expect(arrays['florence2.pixels'].subarray(expected.length)).toEqual(expected);
    expect(shift.dx === 4 && shift.dy === 4).toBe(false);
  });

  test('refuses what is missing', () => {
    const config = configured({ proprio: true });
    expect(() => member.writer(config, {}, {})).toThrow('reads instructions with tokenizer.json, which is missing');
    const { check } = member.writer(config, {}, assets);
    const { images, state, instruction } = observation(0);
    expect(() => check({ state, instruction })).toThrow(
      "no picture of 'agentview', which this policy's encoder needs; it has no pictures.",
    );
    expect(() => check({ images: { agentview: images.agentview }, state, instruction })).toThrow(
      "no picture of 'eye_in_hand'",
    );
    expect(() => check({ images, state: [1], instruction })).toThrow(
      `needs ${stateSize(PANDA)} numbers of the robot's state; got 1.`,
    );
    expect(() => check({ images, instruction })).toThrow('got none.');
    expect(() => check({ images, state, instruction: ' ' })).toThrow('says nothing');
  });
});

test('what the trunk made of pictures stands for them', async () => {
  const config = configured();
  const p = freeze(materialise(member.blueprint(key(1), config)));
  const inputs = member.inputs(config, 2);
  const trunk = member.trunk!;
  const shape = trunk.featuresShape(config, 2);
  const features = trunk.features(config, p, inputs, noDropout);
  expect(features.shape).toEqual(shape);
  const given = member.encode(config, p, inputs, noDropout, input('features', shape));
  using whole = await cpu.compile({ tokens: member.encode(config, p, inputs, noDropout).tokens, features });
  using rest = await cpu.compile({ tokens: given.tokens, mask: given.mask as Tensor });
  const { write } = member.writer(config, {}, assets);
  const arrays = member.arrays(config, 2);
  write(observation(0), arrays, 0);
  write(observation(5), arrays, 1);
  const once = await whole.run(arrays);
  const { 'florence2.pixels': _, ...words } = arrays;
  expect(trunk.inputs).toEqual(['florence2.pixels']);
  expect((await rest.run({ ...words, features: once.features })).tokens).toEqual(once.tokens);
});
