import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cpu } from '../../engine/index.ts';
import { NinaError } from '../../errors.ts';
import { noDropout } from '../../nn/index.ts';
import { fold, key, rng } from '../../random.ts';
import { type Observation, PANDA, SIX_JOINT_ARM } from '../../robot/index.ts';
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
import { type StateConfig, type StateStatistics, stateConfigSchema, stateEncoder, tokenise } from './index.ts';
import { knownScene, scene } from './scene.ts';

type StateObservation = Required<Pick<Observation, 'state' | 'entities' | 'instruction'>>;

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
  return { state: proprio, entities: { categories, poses: entities }, instruction: 'Put the can in the basket.' };
};

const statistics: StateStatistics = {
  state: { mean: Array(11).fill(0.1), std: Array(11).fill(0.5) },
  position: { mean: [0, 0, 0.05], std: [0.2, 0.2, 0.001] },
  joint: { mean: [0], std: [0] },
};
const settings = stateEncoder.settings.parse({ dim: 16, heads: 2 });
const { instruction: said, entities: seen } = observationOf(0);
const config: StateConfig = stateEncoder.configure(settings, {
  episodes: [{ where: 'demo', instruction: said, categories: seen.categories }],
  robot: PANDA,
});

/** The token of one observation, [W]. */
async function tokenOf(observation: StateObservation, c: StateConfig = config): Promise<Float32Array> {
  const params = materialise(stateEncoder.blueprint(key(7), c));
  // Padding rows of the learned places must not matter, so larger limits reuse the same numbers.
  const small = materialise(stateEncoder.blueprint(key(7), config));
  params.places.data.set(small.places.data);
  const { layout, flat } = pack(params);
  using program = await cpu.compile({
    token: stateEncoder.encode(c, symbols(params), stateEncoder.inputs(c, 1), noDropout).tokens,
  });
  const arrays = stateEncoder.arrays(c, 1);
  stateEncoder.writer(c, statistics).write(observation, arrays, 0);
  return (await program.run({ ...feeds(layout, flat), ...arrays })).token;
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
    const { categories } = observationOf(0).entities;
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
    expect(stateConfigSchema.safeParse({ ...config, heads: 3 }).error?.issues[0]?.message).toBe(
      'heads must divide dim; got 3 heads for a width of 16',
    );
  });
});

describe('features', () => {
  const featuresOf = (o: StateObservation) => {
    const arrays = stateEncoder.arrays(config, 1);
    stateEncoder.writer(config, statistics).write(o, arrays, 0);
    return arrays;
  };

  test('offsets from the gripper at three scales, and normalised positions with a floor under the deviation', () => {
    const base = observationOf(1);
    const poses = Array.from(base.entities.poses);
    for (let i = 0; i < 3; i++) poses[i] = base.state[i] + [0.1, -0.01, 0][i];
    const features = featuresOf({ ...base, entities: { ...base.entities, poses } })['state.features'];
    const near = (values: Float32Array, expected: number[]) => {
      for (const [i, x] of expected.entries()) expect(values[i]).toBeCloseTo(x, 5);
    };
    near(features.subarray(3, 6), [0.5, -0.05, 0]);
    const far = Math.hypot(0.1, 0.01);
    near(features.subarray(6, 9), [(Math.tanh(far / 0.05) * 0.1) / far, (Math.tanh(far / 0.05) * -0.01) / far, 0]);
    near(features.subarray(9, 12), [0.1 / far, -0.01 / far, 0]);
    near(features.subarray(2, 3), [(poses[2] - 0.05) / 0.02]);
  });

  test('turning the whole scene leaves the rotation seen from the gripper as it was', () => {
    // The entity's orientation equals the gripper's, so relative to it there is no rotation.
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), (seed) => {
        const base = observationOf(seed, ['can']);
        const r = rng(fold(key(seed), 'q'));
        const q = [r.normal(), r.normal(), r.normal(), r.normal()];
        const [w, x, y, z] = q.map((v) => v / Math.hypot(...q)) as [number, number, number, number];
        const state = Array.from(base.state);
        const columns = [1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)];
        columns.push(2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x));
        state.splice(3, 6, ...columns);
        const entities = { ...base.entities, poses: [0.1, 0.1, 0.1, w, x, y, z, 0] };
        const features = featuresOf({ ...base, state, entities })['state.features'];
        for (const [i, wanted] of [...columns, 1, 0, 0, 0, 1, 0].entries())
          expect(features[12 + i]).toBeCloseTo(wanted, 5);
      }),
      { numRuns: 50 },
    );
  });

  test('a row of a batch overwrites what a larger scene left there', () => {
    const arrays = stateEncoder.arrays(config, 2);
    const write = (o: StateObservation) => stateEncoder.writer(config, statistics).write(o, arrays, 1);
    write(observationOf(2));
    const one = observationOf(3, ['basket']);
    write(one);
    const alone = featuresOf(one);
    for (const name of ['features', 'categories', 'present', 'proprio', 'spoken', 'words'] as const) {
      const all = arrays[`state.${name}`];
      expect(all.slice(all.length / 2)).toEqual(alone[`state.${name}`]);
    }
  });
});

describe('robots', () => {
  const arm = stateEncoder.configure(settings, {
    episodes: [{ where: 'demo', instruction: said, categories: seen.categories }],
    robot: SIX_JOINT_ARM,
  });
  const statisticsOf = (P: number) => ({ ...statistics, state: { mean: Array(P).fill(0), std: Array(P).fill(1) } });
  const featuresOf = (c: StateConfig, observation: Observation) => {
    const arrays = stateEncoder.arrays(c, 1);
    stateEncoder.writer(c, statisticsOf(c.state_size)).write(observation, arrays, 0);
    return arrays;
  };

  test('a state without an end effector: offsets are from the origin, rotations in the world', () => {
    expect(arm).toMatchObject({ state_size: 6 });
    expect(arm.end_effector).toBe(undefined);
    const { entities } = observationOf(10);
    const state = [0.5, -0.25, 2, 0, 1, -1];
    const arrays = featuresOf(arm, { state, entities, instruction: said });
    expect([...arrays['state.proprio']]).toEqual(state);
    const features = arrays['state.features'];
    for (let i = 0; i < 3; i++) expect(features[3 + i]).toBeCloseTo(entities.poses[i] / 0.2, 5);
    expect([...features.subarray(18, 24)]).toEqual([...features.subarray(12, 18)]);
  });

  test("an end effector's pose is found where the robot has it", () => {
    const base = observationOf(11);
    const names = ['a', 'b', ...PANDA.state.names];
    const moved = stateEncoder.configure(settings, {
      episodes: [{ where: 'demo', instruction: said, categories: seen.categories }],
      robot: { ...PANDA, state: { names, endEffector: 2 } },
    });
    expect(moved).toMatchObject({ state_size: 13, end_effector: 2 });
    const found = featuresOf(moved, { ...base, state: [9, 9, ...Array.from(base.state)] });
    expect(found['state.features']).toEqual(featuresOf(config, base)['state.features']);
    const beyond = { ...moved, end_effector: 5 };
    expect(stateConfigSchema.safeParse(beyond).error?.issues[0]?.message).toBe(
      'the 9 numbers of a pose from 5 on do not fit into a state of 13',
    );
  });

  test('statistics are measured by the names of the robot, and have its size', () => {
    const episode = { state: Float32Array.from({ length: 12 }, (_, i) => i), poses: new Float32Array(16).fill(1) };
    const measured = stateEncoder.measure([episode], SIX_JOINT_ARM);
    expect(measured.state).toMatchObject({ mean: [3, 4, 5, 6, 7, 8], names: SIX_JOINT_ARM.state.names });
    expect(stateEncoder.statistics(arm).parse(measured)).toEqual(measured);
    expect(stateEncoder.statistics(config).safeParse(measured).success).toBe(false);
  });

  test('an observation of another robot, or without what the encoder sees, is refused', () => {
    const { state, entities, instruction } = observationOf(12);
    const check = (observation: Observation) => () => stateEncoder.writer(arm, statisticsOf(6)).check(observation);
    expect(check({ state, entities, instruction })).toThrow(
      "An observation needs 6 numbers of the robot's state and 8 for each of its 3 entities (24); got 11 and 24.",
    );
    expect(check({ entities, instruction })).toThrow(
      "An observation has no 'state', which this policy's encoder needs",
    );
    expect(check({ state, instruction })).toThrow("An observation has no 'entities'");
    expect(check({ state: [0, 0, 1e39, 0, 0, 0], entities, instruction })).toThrow('state[2] is 1e+39');
    const poses = Array.from(entities.poses);
    poses[11] = Number.NaN;
    const spoiled = { state: Array(6).fill(0), entities: { ...entities, poses }, instruction };
    expect(check(spoiled)).toThrow('entities.poses[11] is NaN (number 3 of entity 1, soup_bowl)');
  });

  test("data without entities, as LIBERO's own, is refused by name", () => {
    const episodes = [{ where: 'libero.hdf5#demo_0', instruction: said, categories: [] }];
    expect(() => stateEncoder.configure(settings, { episodes, robot: PANDA })).toThrow(
      "libero.hdf5#demo_0 has no dataset 'obs/entities', which a state encoder needs",
    );
  });
});

test('a scene is made once, and again for another configuration', () => {
  const first = knownScene(config, ['can'], 'put the can');
  expect(knownScene(config, ['can'], 'put the can')).toBe(first);
  expect(knownScene(config, ['can'], 'put the bowl')).not.toBe(first);
  const other = knownScene({ ...config, max_entities: 9 }, ['can'], 'put the can');
  expect(other.present).toHaveLength(10);
  for (let i = 0; i < 3000; i++) knownScene(config, Array(1 + (i % 3)).fill('can'), `put${' '.repeat(i)} the can`);
  expect(knownScene(config, ['can'], 'put the can')).toEqual(first);
});

test('what an instruction or a category may hold', () => {
  expect(stateEncoder.knows(config, 'Soup_bowl')).toBe(true);
  expect(stateEncoder.knows(config, 'soup_mug')).toBe(false);
});

describe('the token', () => {
  test('the order in which entities are listed does not matter', async () => {
    const base = observationOf(4);
    const order = [2, 0, 1];
    const permuted = {
      ...base,
      entities: {
        categories: order.map((i) => base.entities.categories[i]),
        poses: order.flatMap((i) => Array.from(base.entities.poses).slice(8 * i, 8 * i + 8)),
      },
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
    const params = materialise(stateEncoder.blueprint(key(8), config));
    const { layout, flat } = pack(params);
    const p = symbols(params);
    const loss = mean(
      square(mean(stateEncoder.encode(config, p, stateEncoder.inputs(config, 1), noDropout).tokens, [1])),
    );
    const named = leaves<Tensor>(p);
    using program = await cpu.compile(byPath(gradOf(loss, p)));
    const arrays = stateEncoder.arrays(config, 1);
    stateEncoder.writer(config, statistics).write(observationOf(9), arrays, 0);
    const found = await program.run({ ...feeds(layout, flat), ...arrays });
    // What moves all keys alike moves all scores of a softmax alike: no gradient, up to rounding.
    const dead = named.map(([path]) => path).filter((path) => !found[path].some((g) => Math.abs(g) > 1e-7));
    expect(dead).toEqual(['key.bias', 'norm.bias', 'slot_key.bias']);
  });
});
