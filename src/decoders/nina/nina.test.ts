import { describe, expect, test } from 'vitest';
import { cpu } from '../../engine/index.ts';
import { dropoutInputs, noDropout } from '../../nn/index.ts';
import { key, normals } from '../../random.ts';
import { grad, input, leaves, type NDArray, symbols, type Tensor } from '../../tensor/index.ts';
import { init, logProb, loss, type NinaConfig, ninaSchema, noisyTarget, pluInverse, sample } from './index.ts';

const [B, T, A, C] = [3, 4, 2, 5];
/** Sums of some hundred float32 numbers. */
const TOLERANCE = 1e-5;

const common = { n_layers: 2, affine_dim: 8, n_heads: 2, block_depth: 2, cond_dim: C, chunk_length: T, action_dim: A };
const configs: NinaConfig[] = (['mlp', 'trans'] as const).flatMap((backbone) =>
  [true, false].map((use_plu) => ninaSchema.parse({ ...common, backbone, use_plu })),
);

const data = {
  // The first numbers lie beyond +-1 and beside it, where clamping matters.
  actions: Float32Array.from(normals(key(1), B * T * A), (v, i) => (i < 2 ? 1 - 2 * i : Math.tanh(v))),
  cond: normals(key(2), B * C),
  noise: normals(key(3), B * T * A),
};
const inputs = (rows = B) => ({
  actions: input('actions', [rows, T, A]),
  cond: input('cond', [rows, C]),
  noise: input('noise', [rows, T, A]),
});

async function run(params: object, feeds: Record<string, Float32Array>, outputs: Record<string, Tensor>) {
  using program = await cpu.compile(outputs);
  const all = {
    ...feeds,
    ...Object.fromEntries(
      leaves<NDArray>(params as { [name: string]: NDArray }).map(([path, leaf]) => [path, leaf.data]),
    ),
  };
  return await program.run(
    Object.fromEntries(Object.entries(all).filter(([name]) => name in program.signature.inputs)),
  );
}

describe.each(configs)('$backbone, PLU $use_plu', (config) => {
  const { params, buffers } = init(key(4), config);
  const p = symbols(params);
  const { actions, cond, noise } = inputs();

  test('a key decides every number of a fresh decoder', () => {
    expect(init(key(4), config)).toEqual({ params, buffers });
    expect(init(key(5), config)).not.toEqual({ params, buffers });
  });

  test.each([true, false])('loss is the mean of -log p of the noisy target, clamped: %s', async (clamp_noise) => {
    const c = { ...config, clamp_noise, action_noise_mult: 0.5 };
    const r = await run(params, data, {
      loss: loss(c, buffers, p, actions, cond, noise),
      target: noisyTarget(c, actions, noise),
      logProb: logProb(c, buffers, p, noisyTarget(c, actions, noise), cond),
    });
    const expected = data.actions.map((a, i) => {
      const noisy = a + 0.5 * data.noise[i];
      return clamp_noise ? Math.min(1, Math.max(-1, noisy)) : noisy;
    });
    r.target.forEach((v, i) => {
      expect(Math.abs(v - expected[i])).toBeLessThan(TOLERANCE);
    });
    expect(Math.max(...r.target) > 1).toBe(!clamp_noise);
    expect(r.loss[0]).toBeCloseTo(-r.logProb.reduce((a, b) => a + b, 0) / B, 4);
  });

  test('rows of a batch do not know each other', async () => {
    const inverses = pluInverse(config, { params, buffers });
    const prepared = inverses && input('inverses', inverses.shape);
    const outputs = (x: ReturnType<typeof inputs>) => ({
      logProb: logProb(config, buffers, p, x.actions, x.cond),
      drawn: sample(config, buffers, p, x.noise, x.cond, prepared),
    });
    const extra = inverses && { inverses: inverses.data };
    const together = await run(params, { ...data, ...extra }, outputs(inputs()));
    const alone = await run(
      params,
      {
        actions: data.actions.subarray(T * A, 2 * T * A),
        cond: data.cond.subarray(C, 2 * C),
        noise: data.noise.subarray(T * A, 2 * T * A),
        ...extra,
      },
      outputs(inputs(1)),
    );
    expect(alone.logProb[0]).toBeCloseTo(together.logProb[1], 4);
    alone.drawn.forEach((v, i) => {
      expect(v).toBeCloseTo(together.drawn[T * A + i], 4);
    });
  });

  test('the condition matters, and receives a gradient', async () => {
    const { dCond } = await run(params, data, {
      dCond: grad(loss(config, buffers, p, actions, cond, noise), [cond])[0],
    });
    for (let i = 0; i < B; i++)
      expect(Math.max(...dCond.subarray(i * C, (i + 1) * C).map(Math.abs))).toBeGreaterThan(1e-4);
  });

  test('chunks and conditions of other sizes are refused with both shapes', () => {
    expect(() => logProb(config, buffers, p, input('actions', [B, T, A + 1]), cond)).toThrow(
      'This decoder needs chunks [B, 4, 2] and conditions [B, 5]; got [3, 4, 3] and [3, 5].',
    );
    expect(() => logProb(config, buffers, p, actions, input('cond', [B + 1, C]))).toThrow('got [3, 4, 2] and [4, 5].');
  });

  test('backbone and parameters that disagree are refused', () => {
    const other = config.backbone === 'mlp' ? 'trans' : 'mlp';
    expect(() => logProb({ ...config, backbone: other, use_plu: false }, buffers, p, actions, cond)).toThrow(
      `The configuration says backbone ${other}, but the parameters are of ${Object.keys(params).join(', ')}.`,
    );
  });
});

describe('dropout', () => {
  const config = ninaSchema.parse({ ...common, backbone: 'trans', use_plu: false, n_layers: 1, block_depth: 1 });
  const { params, buffers } = init(key(4), config);
  const p = symbols(params);
  const { actions, cond } = inputs();
  const { dropout, masks } = dropoutInputs(0.5);
  const outputs = {
    training: logProb(config, buffers, p, actions, cond, dropout),
    evaluation: logProb(config, buffers, p, actions, cond, noDropout),
  };
  const filled = (value: (name: string) => number) =>
    Object.fromEntries(
      masks.inputs.map(({ name, shape }) => [
        name,
        new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value(name)),
      ]),
    );

  test('acts on attention weights, on what they produce, and in the heads', () => {
    expect(masks.inputs.map(({ shape }) => shape)).toEqual([
      [B, 2, T / 2, T / 2], // self-attention's weights: heads x queries x keys
      [B, T / 2, 8],
      [B, T / 2, 2, 1], // cross-attention's weights: queries x heads x the one key
      [B, T / 2, 8],
      [2, (B * T) / 2, 16], // the two heads' hidden layers
    ]);
  });

  test('a mask that keeps everything is evaluation', async () => {
    const r = await run(params, { ...data, ...filled(() => 1) }, outputs);
    r.training.forEach((v, i) => {
      expect(v).toBeCloseTo(r.evaluation[i], 4);
    });
  });

  test('each mask matters, that of the one cross-attention weight too', async () => {
    const whole = (await run(params, { ...data, ...filled(() => 1) }, outputs)).training;
    for (const { name } of masks.inputs) {
      const r = await run(params, { ...data, ...filled((n) => (n === name ? 0 : 1)) }, outputs);
      expect(r.training, name).not.toEqual(whole);
    }
  });

  test('the perceptrons have none', () => {
    const mlp = ninaSchema.parse({ ...common, backbone: 'mlp' });
    const model = init(key(4), mlp);
    const { dropout, masks } = dropoutInputs(0.5);
    loss(mlp, model.buffers, symbols(model.params), actions, cond, inputs().noise, dropout);
    expect(masks.inputs).toEqual([]);
  });
});
