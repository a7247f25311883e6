import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomModel, unfolded, worst } from '../../../../test/support/nina.ts';
import { cpu } from '../../../engine/index.ts';
import { key, normals } from '../../../random.ts';
import { leaves, type NDArray } from '../../../tensor/index.ts';
import { BACKENDS, type Backend, compileNina, type NinaConfig, ninaSchema } from '../index.ts';
import { foldNina } from './folded.ts';

/**
 * Largest difference from the unfolded graph, in actions (1e-4 and 2e-2 of their range, which is 2) and in nats: what
 * another order of float32 sums may cost, and what weights rounded to 8 bits may.
 */
const TOLERANCE: Record<Backend, { actions: number; nats: number }> = {
  onnx: { actions: 2e-4, nats: 1e-3 },
  wasm: { actions: 2e-4, nats: 1e-3 },
  'wasm-int8': { actions: 4e-2, nats: 0.3 },
};
/** Nats between the density of a sample and the same density found from the sample: two passes of float32 rounding. */
const ROUND_TRIP = 2e-3;
/** Of 8 bits: activations round to 15 bits, and a sample's differ in the last. The weights are the same both ways. */
const ROUND_TRIP_INT8 = 2e-2;

/** Sizes that fill vectors, and sizes that fill none: heads of 5, actions of 7, conditions of 9. */
const even = { n_layers: 3, affine_dim: 24, n_heads: 2, block_depth: 2, cond_dim: 16, chunk_length: 4, action_dim: 4 };
const odd = { n_layers: 2, affine_dim: 20, n_heads: 4, block_depth: 1, cond_dim: 9, chunk_length: 10, action_dim: 7 };
const configs: NinaConfig[] = [even, odd].flatMap((sizes) =>
  (['mlp', 'trans'] as const).flatMap((backbone) =>
    [true, false].map((use_plu) => ninaSchema.parse({ ...sizes, backbone, use_plu })),
  ),
);

const inputs = ({ chunk_length, action_dim, cond_dim }: NinaConfig, B: number, seed = 2) => ({
  x: normals(key(seed), B * chunk_length * action_dim),
  cond: normals(key(seed + 1), B * cond_dim),
});

describe.each(BACKENDS)('%s', (backend) => {
  describe.each(configs)('$backbone $affine_dim, PLU $use_plu', (config) => {
    const model = randomModel(config, 1);

    test.each([1, 3, 16])('agrees with the unfolded graph, batch %i', async (B) => {
      const { x, cond } = inputs(config, B);
      const wanted = await unfolded(config, model, x, cond, B);
      using compiled = await compileNina(config, model, { engine: cpu, backend });
      const { actions, logProb } = await compiled.sample(x, cond, B);
      expect(worst(actions, wanted.actions)).toBeLessThanOrEqual(TOLERANCE[backend].actions);
      expect(worst(logProb, wanted.drawn)).toBeLessThanOrEqual(TOLERANCE[backend].nats);
      expect(worst(await compiled.logProb(x, cond, B), wanted.scored)).toBeLessThanOrEqual(TOLERANCE[backend].nats);
    });

    test('the log-probability of a sample is that of the actions it is', async () => {
      using compiled = await compileNina(config, model, { engine: cpu, backend });
      const cases = fc.record({ seed: fc.nat(1e6), B: fc.integer({ min: 1, max: 4 }) });
      await fc.assert(
        fc.asyncProperty(cases, async ({ seed, B }) => {
          const { x, cond } = inputs(config, B, seed);
          const drawn = await compiled.sample(x, cond, B);
          const [actions, told] = [drawn.actions.slice(), drawn.logProb.slice()];
          const found = await compiled.logProb(actions, cond, B);
          expect(worst(found, told)).toBeLessThanOrEqual(backend === 'wasm-int8' ? ROUND_TRIP_INT8 : ROUND_TRIP);
        }),
        { numRuns: 20 },
      );
    });
  });

  const config = configs[0];

  test('rows of a batch do not know each other, nor what came before', async () => {
    using compiled = await compileNina(config, randomModel(config, 1), { engine: cpu, backend });
    const { x, cond } = inputs(config, 3);
    const [D, C] = [x.length / 3, config.cond_dim];
    const together = (await compiled.sample(x, cond, 3)).actions.slice();
    const alone = (await compiled.sample(x.subarray(D, 2 * D), cond.subarray(C, 2 * C), 1)).actions;
    expect(worst(alone, together.subarray(D, 2 * D))).toBeLessThanOrEqual(1e-6);
    expect((await compiled.sample(x, cond, 3)).actions).toEqual(together);
  });

  test('wrong sizes are refused with both sizes', async () => {
    using compiled = await compileNina(config, randomModel(config, 1), { engine: cpu, backend, maxBatch: 2 });
    const { x, cond } = inputs(config, 3);
    const call = async (B: number) => await compiled.sample(x, cond, B);
    await expect(call(3)).rejects.toThrow('sample was compiled for batches of 1 to 2; got 3.');
    await expect(call(2)).rejects.toThrow('needs 2 x 16 and 2 x 16 numbers (chunk and condition); got 48 and 48.');
    await expect((async () => await compiled.logProb(x, cond, 0))()).rejects.toThrow('batches of 1 to 2; got 0.');
  });
});

test('every number of the random decoder is in use', () => {
  for (const config of configs)
    for (const [path, { data }] of leaves<NDArray>(randomModel(config, 1).params as { [name: string]: NDArray }))
      expect(
        data.some((v) => v !== 0 && v !== 1),
        path,
      ).toBe(true);
});

test('8 bits are a quarter of the weights', async () => {
  const config = ninaSchema.parse({ backbone: 'trans', n_layers: 1, affine_dim: 128 });
  const model = randomModel(config, 1);
  const bytes = await Promise.all(
    BACKENDS.map(async (backend) => {
      using compiled = await compileNina(config, model, { engine: cpu, backend });
      return compiled.weightBytes;
    }),
  );
  const [onnx, wasm, int8] = bytes as [number, number, number];
  expect(wasm / onnx).toBeCloseTo(1, 1);
  expect(int8 / onnx).toBeGreaterThan(0.25);
  expect(int8 / onnx).toBeLessThan(0.35);
});

test('configuration and parameters that disagree are refused', () => {
  const config = configs[0];
  expect(() => foldNina({ ...config, backbone: 'trans', use_plu: false }, randomModel(config, 1))).toThrow(
    'The configuration says backbone trans, but the parameters are of mlp.',
  );
});
