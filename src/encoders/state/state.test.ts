import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cpu } from '../../engine/index.ts';
import { NinaError } from '../../errors.ts';
import { noDropout } from '../../nn/index.ts';
import { fold, key, rng } from '../../random.ts';
import {
  byPath,
  feeds,
  gradOf,
  leaves,
  materialise,
  mean,
  pack,
  square,
  symbols,
  type Tensor,
} from '../../tensor/index.ts';
import {
  configFor,
  encode,
  feedsOf,
  init,
  type StateConfig,
  type StateObservation,
  type StateStatistics,
  scene,
  stateArrays,
  stateConfigSchema,
  stateInputs,
  stateSchema,
  tokenise,
  writeState,
} from './index.ts';

const observationOf = (seed: number, categories = ['can', 'soup_bowl', 'basket']): StateObservation => {
  const r = rng(fold(key(seed), 'observation'));
  const rotation = () => {
    const q = [r.normal(), r.normal(), r.normal(), r.normal()];
    return q.map((x) => x / Math.hypot(...q));
  };
  const [w, x, y, z] = rotation() as [number, number, number, number];
  const proprio = [r.uniform(-0.3, 0.3), r.uniform(-0.3, 0.3), r.uniform(0, 0.3)];
  proprio.push(1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y));
  proprio.push(2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x), 0.04, -0.04);
  const entities = categories.flatMap(() => [
    ...[r.uniform(-0.3, 0.3), r.uniform(-0.3, 0.3), 0.02],
    ...rotation(),
    r.uniform(0, 0.1),
  ]);
  return { proprio, entities, categories, instruction: 'Put the can in the basket.' };
};

const statistics: StateStatistics = {
  proprio: { mean: Array(11).fill(0.1), std: Array(11).fill(0.5) },
  position: { mean: [0, 0, 0.05], std: [0.2, 0.2, 0.001] },
  joint: { mean: [0], std: [0] },
};
const config: StateConfig = configFor(stateSchema.parse({ encoder_dim: 16, encoder_heads: 2 }), [observationOf(0)]);

/** The token of one observation, [W]. */
async function tokenOf(observation: StateObservation, c: StateConfig = config): Promise<Float32Array> {
  const params = materialise(init(key(7), c));
  // Padding rows of the learned places must not matter, so larger limits reuse the same numbers.
  const small = materialise(init(key(7), config));
  params.places.data.set(small.places.data);
  const { layout, flat } = pack(params);
  using program = await cpu.compile({ token: encode(c, symbols(params), stateInputs(c, 1), noDropout) });
  const arrays = stateArrays(c, 1);
  const { categories, instruction, proprio, entities } = observation;
  writeState(statistics, scene(c, categories, instruction), proprio, entities, arrays, 0);
  return (await program.run({ ...feeds(layout, flat), ...feedsOf(arrays) })).token;
}

/** Float32 sums of some dozen terms of order one, in another order. */
const ROUNDING = 1e-5;
const difference = (a: Float32Array, b: Float32Array) => Math.max(...a.map((x, i) => Math.abs(x - b[i])));

describe('words', () => {
  test('text becomes lower-case words, categories fall apart at underscores', () => {
    expect(tokenise("Pick up the Alphabet_Soup, it's 1!")).toEqual([
      'pick',
      'up',
      'the',
      'alphabet',
      'soup',
      'it',
      's',
      '1',
    ]);
  });

  test('the configuration holds the vocabulary and the largest sizes', () => {
    expect(config).toMatchObject({
      words: ['basket', 'bowl', 'can', 'in', 'put', 'soup', 'the'],
      max_words: 6,
      max_entities: 3,
    });
    expect(stateConfigSchema.parse(config)).toEqual(config);
  });

  test('what the policy was not trained on is named', () => {
    const { categories } = observationOf(0);
    expect(() => scene(config, categories, 'put the mug in the basket')).toThrow(
      'never saw the word "mug" of "put the mug in the basket" in training. Its words are: basket, bowl,',
    );
    expect(() => scene(config, ['stove'], 'put the can')).toThrow(NinaError);
    expect(() => scene(config, [...categories, 'can'], 'put')).toThrow(
      '4 entities, but the policy was trained on at most 3',
    );
    expect(() => scene(config, categories, 'put the can in the basket the')).toThrow('7 words');
  });

  test('heads must divide the width', () => {
    expect(stateConfigSchema.safeParse({ ...config, encoder_heads: 3 }).error?.issues[0]?.message).toBe(
      'encoder_heads must divide encoder_dim; got 3 heads for a width of 16',
    );
  });
});

describe('features', () => {
  const featuresOf = (o: StateObservation) => {
    const arrays = stateArrays(config, 1);
    writeState(statistics, scene(config, o.categories, o.instruction), o.proprio, o.entities, arrays, 0);
    return arrays;
  };

  test('offsets from the gripper at three scales, and normalised positions with a floor under the deviation', () => {
    const base = observationOf(1);
    const entities = Array.from(base.entities);
    for (let i = 0; i < 3; i++) entities[i] = (base.proprio[i] as number) + [0.1, -0.01, 0][i];
    const { features } = featuresOf({ ...base, entities });
    const near = (values: Float32Array, expected: number[]) => {
      for (const [i, x] of expected.entries()) expect(values[i]).toBeCloseTo(x, 5);
    };
    near(features.subarray(3, 6), [0.5, -0.05, 0]);
    const far = Math.hypot(0.1, 0.01);
    near(features.subarray(6, 9), [(Math.tanh(far / 0.05) * 0.1) / far, (Math.tanh(far / 0.05) * -0.01) / far, 0]);
    near(features.subarray(9, 12), [0.1 / far, -0.01 / far, 0]);
    near(features.subarray(2, 3), [(entities[2] - 0.05) / 0.02]);
  });

  test('turning the whole scene leaves the rotation seen from the gripper as it was', () => {
    // The entity's orientation equals the gripper's, so relative to it there is no rotation.
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), (seed) => {
        const base = observationOf(seed, ['can']);
        const r = rng(fold(key(seed), 'q'));
        const q = [r.normal(), r.normal(), r.normal(), r.normal()];
        const [w, x, y, z] = q.map((v) => v / Math.hypot(...q)) as [number, number, number, number];
        const proprio = Array.from(base.proprio);
        const columns = [1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)];
        columns.push(2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x));
        proprio.splice(3, 6, ...columns);
        const entities = [0.1, 0.1, 0.1, w, x, y, z, 0];
        const { features } = featuresOf({ ...base, proprio, entities });
        for (const [i, wanted] of [...columns, 1, 0, 0, 0, 1, 0].entries())
          expect(features[12 + i]).toBeCloseTo(wanted, 5);
      }),
      { numRuns: 50 },
    );
  });

  test('a row of a batch overwrites what a larger scene left there', () => {
    const arrays = stateArrays(config, 2);
    const write = (o: StateObservation) =>
      writeState(statistics, scene(config, o.categories, o.instruction), o.proprio, o.entities, arrays, 1);
    write(observationOf(2));
    const one = observationOf(3, ['basket']);
    write(one);
    const alone = featuresOf(one);
    for (const name of ['features', 'categories', 'present', 'proprio', 'spoken', 'words'] as const)
      expect(arrays[name].slice(arrays[name].length / 2)).toEqual(alone[name]);
  });
});

describe('the token', () => {
  test('the order in which entities are listed does not matter', async () => {
    const base = observationOf(4);
    const order = [2, 0, 1];
    const permuted = {
      ...base,
      categories: order.map((i) => base.categories[i]),
      entities: order.flatMap((i) => Array.from(base.entities).slice(8 * i, 8 * i + 8)),
    };
    expect(difference(await tokenOf(permuted), await tokenOf(base))).toBeLessThan(ROUNDING);
  });

  test('room for more entities and words changes nothing', async () => {
    const roomy = { ...config, max_entities: 6, max_words: 9 };
    const base = observationOf(5, ['can', 'basket']);
    expect(difference(await tokenOf(base, roomy), await tokenOf(base))).toBeLessThan(ROUNDING);
  });

  test('the instruction matters, and so does the order of its words', async () => {
    const base = { ...observationOf(6), instruction: 'put the can in the bowl' };
    const token = await tokenOf(base);
    const swapped = await tokenOf({ ...base, instruction: 'put the bowl in the can' });
    expect(difference(token, swapped)).toBeGreaterThan(100 * ROUNDING);
  });

  test('every parameter receives a gradient', async () => {
    const params = materialise(init(key(8), config));
    const { layout, flat } = pack(params);
    const p = symbols(params);
    const loss = mean(square(mean(encode(config, p, stateInputs(config, 1), noDropout), [1])));
    const named = leaves<Tensor>(p);
    using program = await cpu.compile(byPath(gradOf(loss, p)));
    const arrays = stateArrays(config, 1);
    const { categories, instruction, proprio, entities } = observationOf(9);
    writeState(statistics, scene(config, categories, instruction), proprio, entities, arrays, 0);
    const found = await program.run({ ...feeds(layout, flat), ...feedsOf(arrays) });
    // What moves all keys alike moves all scores of a softmax alike: no gradient, up to rounding.
    const dead = named.map(([path]) => path).filter((path) => !found[path].some((g) => Math.abs(g) > 1e-7));
    expect(dead).toEqual(['key.bias', 'norm.bias', 'slot_key.bias']);
  });
});
