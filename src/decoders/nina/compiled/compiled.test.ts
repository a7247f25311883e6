import { describe, expect, test } from 'vitest';
import { fold, key, normals } from '../../../random.ts';
import { compile, constant, input, leaves, mapTree, type NDArray, type Tensor } from '../../../tensor/index.ts';
import {
  init,
  logProb,
  type Model,
  type NinaConfig,
  ninaSchema,
  type Params,
  pluInverse,
  sampleAndLogProb,
} from '../index.ts';
import { compileNina } from './compile.ts';
import type { Backend } from './compiled.ts';

/**
 * Largest difference from the unfolded graph, in actions (whose range is 2) and in nats: what another order of float32
 * sums may cost, and what weights rounded to 8 bits may.
 */
const TOLERANCE: Record<Backend, { actions: number; nats: number }> = {
  onnx: { actions: 2e-4, nats: 1e-3 },
  wasm: { actions: 2e-4, nats: 1e-3 },
  'wasm-int8': { actions: 4e-2, nats: 0.3 },
};

/** A decoder none of whose numbers is trivial: fresh ones have norms of 1 and biases of 0. */
function randomModel(config: NinaConfig, seed: number): Model {
  const model = init(key(seed), config);
  const params = mapTree(model.params, ({ shape, data }: NDArray, path) => {
    const noise = normals(fold(key(seed), path), data.length);
    const scale = path.endsWith('norm.weight') || path.endsWith('bias') ? 0.2 : path.startsWith('plu') ? 0.01 : 0;
    return { shape, data: data.map((v, i) => v + scale * noise[i]!) };
  });
  return { ...model, params: params as Params<NDArray> };
}

/** What the graph that training uses answers. */
async function unfolded(config: NinaConfig, model: Model, x: Float32Array, cond: Float32Array, B: number) {
  const { chunk_length: T, action_dim: A, cond_dim: C } = config;
  const p = mapTree(model.params, ({ data, shape }: NDArray) => constant(data, shape)) as Params<Tensor>;
  const inverses = pluInverse(config, model);
  const [chunk, condition] = [input('x', [B, T, A]), input('cond', [B, C])];
  const [actions, drawn] = sampleAndLogProb(
    config,
    model.buffers,
    p,
    chunk,
    condition,
    inverses && constant(inverses.data, inverses.shape),
  );
  using program = await compile({
    outputs: { actions, drawn, scored: logProb(config, model.buffers, p, chunk, condition) },
  });
  return await program.run({ x, cond });
}

const worst = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((most, v, i) => Math.max(most, Math.abs(v - b[i]!)), a.length === b.length ? 0 : Number.NaN);

const sizes = { n_layers: 3, affine_dim: 24, n_heads: 2, block_depth: 2, cond_dim: 10, chunk_length: 6, action_dim: 3 };
const configs: NinaConfig[] = (['mlp', 'trans'] as const).flatMap((backbone) =>
  [true, false].map((use_plu) => ninaSchema.parse({ ...sizes, backbone, use_plu })),
);

describe.each(['onnx', 'wasm', 'wasm-int8'] as Backend[])('%s', (backend) => {
  describe.each(configs)('$backbone, PLU $use_plu', (config) => {
    const model = randomModel(config, 1);
    test.each([1, 3, 16])('agrees with the unfolded graph, batch %i', async (B) => {
      const D = config.chunk_length * config.action_dim;
      const [x, cond] = [normals(key(2), B * D), normals(key(3), B * config.cond_dim)];
      const wanted = await unfolded(config, model, x, cond, B);
      using compiled = await compileNina(config, model, { backend });
      const { actions, logProb: drawnLogProb } = await compiled.sample(x, cond, B);
      const drawn = { actions: actions.slice(), logProb: drawnLogProb.slice() };
      expect(worst(drawn.actions, wanted.actions!)).toBeLessThanOrEqual(TOLERANCE[backend].actions);
      expect(worst(drawn.logProb, wanted.drawn!)).toBeLessThanOrEqual(TOLERANCE[backend].nats);
      expect(worst(await compiled.logProb(x, cond, B), wanted.scored!)).toBeLessThanOrEqual(TOLERANCE[backend].nats);
    });
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
