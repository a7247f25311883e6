import { describe, expect, test } from 'vitest';
import { cpu } from '../../engine/index.ts';
import { dropoutInputs, swigluHidden } from '../../nn/index.ts';
import { key, normals } from '../../random.ts';
import {
  byPath,
  gradOf,
  input,
  layoutOf,
  leaves,
  mapTree,
  materialise,
  type NDArray,
  symbols,
  type Tensor,
} from '../../tensor/index.ts';
import { topological } from '../../tensor/tensor.ts';
import { blueprint, CONFIGURATIONS, type FlowerConfig, flowerSchema, loss, sample, velocity } from './index.ts';

const [B, T, A, S, E] = [2, 4, 3, 3, 5];
/** Two float32 evaluations of the same graph, on numbers of order one. */
const TOLERANCE = 1e-5;

const config: FlowerConfig = flowerSchema.parse({
  dit_dim: 8,
  n_heads: 2,
  n_layers: 2,
  chunk_length: T,
  action_dim: A,
});
const fresh = materialise(blueprint(key(1), config, E));
// The global modulation starts at zero; other numbers let every part matter.
const params = mapTree(fresh, ({ shape, data }: NDArray, path) =>
  path.startsWith('adaln.') ? { shape, data: normals(key(2), data.length).map((v) => v / 4) } : { shape, data },
);
const p = symbols(params);

const inputs = (rows = B) => ({
  z: input('z', [rows, T, A]),
  noise: input('noise', [rows, T, A]),
  t: input('t', [rows]),
  features: input('features', [rows, S, E]),
});
const data = {
  z: normals(key(3), B * T * A),
  noise: normals(key(4), B * T * A),
  t: Float32Array.of(0.3, 0.8),
  features: normals(key(5), B * S * E),
};

async function run(outputs: Record<string, Tensor>, feeds: Record<string, Float32Array>) {
  using program = await cpu.compile(outputs);
  const all = { ...feeds, ...Object.fromEntries(leaves<NDArray>(params).map(([path, leaf]) => [path, leaf.data])) };
  return await program.run(
    Object.fromEntries(Object.entries(all).filter(([name]) => name in program.signature.inputs)),
  );
}

function close(actual: Float32Array, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((v, i) => {
    expect(Math.abs(v - expected[i])).toBeLessThan(TOLERANCE);
  });
}

test.each([
  ['diffusion-330m', 354_091_015],
  ['diffusion-31m', 29_544_583],
] as const)('%s has exactly the parameters that the reference uses', (name, count) => {
  expect(layoutOf(blueprint(key(0), flowerSchema.parse(CONFIGURATIONS[name]), 1024)).size).toBe(count);
});

test('a key decides every number of a fresh decoder', () => {
  expect(materialise(blueprint(key(1), config, E))).toEqual(fresh);
  expect(materialise(blueprint(key(2), config, E))).not.toEqual(fresh);
  expect(fresh.adaln.eef_delta.modCX[1].weight.data.every((v) => v === 0)).toBe(true);
  // Uniform within 1 / sqrt(fan in), the bias with its weight.
  const { weight, bias } = fresh.dit[0].adaLN_modulation[2];
  for (const { data } of [weight, bias]) expect(Math.max(...data.map(Math.abs))).toBeLessThanOrEqual(1 / 16);
});

test('a time step sees itself and the past', async () => {
  const { z, t, features } = inputs();
  const outputs = { v: velocity(config, p, z, t, features) };
  const { v } = await run(outputs, data);
  const changed = data.z.slice();
  const at = 2; // of T steps, in the first row
  changed[at * A] = changed[at * A] + 1;
  const { v: other } = await run(outputs, { ...data, z: changed });
  for (let step = 0; step < T; step++) {
    const [before, after] = [v, other].map((x) => [...x.subarray(step * A, (step + 1) * A)]);
    if (step < at) expect(after).toEqual(before);
    else expect(after).not.toEqual(before);
  }
});

test('rows of a batch do not know each other', async () => {
  const of = ({ z, t, features }: ReturnType<typeof inputs>) => ({
    v: velocity(config, p, z, t, features),
    x: sample(config, p, z, features),
  });
  const together = await run(of(inputs()), data);
  const alone = await run(of(inputs(1)), {
    z: data.z.subarray(T * A),
    t: data.t.subarray(1),
    features: data.features.subarray(S * E),
  });
  close(alone.v, together.v.subarray(T * A));
  close(alone.x, together.x.subarray(T * A));
});

test('the loss is the mean squared error of the velocity on the line from actions to noise', async () => {
  const { z: actions, noise, t, features } = inputs();
  const line = input('line', [B, T, A]);
  const outputs = { loss: loss(config, p, actions, features, noise, t), v: velocity(config, p, line, t, features) };
  const between = data.z.map(
    (a, i) => (1 - data.t[Math.floor(i / (T * A))]) * a + data.t[Math.floor(i / (T * A))] * data.noise[i],
  );
  const r = await run(outputs, { ...data, line: between });
  const squares = r.v.map((v, i) => (v - (data.noise[i] - data.z[i])) ** 2);
  close(r.loss, [squares.reduce((a, b) => a + b, 0) / (B * T * A)]);
});

describe('sampling', () => {
  test.each([1, 3])('takes %i Euler steps along the velocity from t = 1', async (N) => {
    const { z, t, features } = inputs();
    const drawn = await run({ x: sample({ ...config, num_sampling_steps: N }, p, z, features) }, data);
    const outputs = { v: velocity(config, p, z, t, features) };
    let x = data.z;
    for (let i = N; i >= 1; i--) {
      const { v } = await run(outputs, { ...data, z: x, t: new Float32Array(B).fill(i / N) });
      x = x.map((value, j) => value - v[j] / N);
    }
    close(drawn.x, x);
  });

  test('does what depends on the encoder or the times alone once, however many steps', () => {
    const { z, features } = inputs();
    const products = (num_sampling_steps: number) => {
      const nodes = topological([sample({ ...config, num_sampling_steps }, p, z, features)]);
      const moving = new Set<Tensor>([z]);
      for (const node of nodes) if (node.args.some((arg) => moving.has(arg))) moving.add(node);
      const all = nodes.filter(({ op }) => op === 'matmul');
      return { once: all.filter((n) => !moving.has(n)).length, perStep: all.filter((n) => moving.has(n)).length };
    };
    // Once: tokens, then keys, values and modulation of 2 blocks, the global modulation, two embedders of two layers.
    // Each step: the action encoder, in 2 blocks self-attention, cross-attention and perceptron, the action decoder.
    expect(products(1)).toEqual({ once: 1 + 2 * 4 + 1 + 4, perStep: 2 + 2 * (4 + 4 + 3) + 1 });
    expect(products(5).once).toBe(products(1).once);
    expect(products(5).perStep).toBe(5 * products(1).perStep);
  });
});

test('features, actions and every used parameter receive a gradient', async () => {
  const { z, noise, t, features } = inputs();
  const r = await run(byPath(gradOf(loss(config, p, z, features, noise, t), { ...p, features })), data);
  for (const [name, values] of Object.entries(r)) expect(Math.max(...values.map(Math.abs)), name).toBeGreaterThan(1e-7);
});

test('what is padding changes nothing, and the rest is as without it', async () => {
  const padded = input('padded', [B, S + 1, E + 1]);
  const batch = inputs();
  const outputs = {
    loss: loss(config, p, batch.z, padded, batch.noise, batch.t),
    actions: sample(config, p, batch.z, padded),
  };
  // The last token of each row is padding: whatever stands there, and 0 behind it.
  const rows = (junk: number) =>
    Array.from({ length: B * (S + 1) }, (_, i) => {
      const [row, token] = [Math.floor(i / (S + 1)), i % (S + 1)];
      const from = (row * S + token) * E;
      return token < S ? [...data.features.subarray(from, from + E), 1] : [...Array(E).fill(junk), 0];
    }).flat();
  const plain = await run(
    {
      loss: loss(config, p, batch.z, batch.features, batch.noise, batch.t),
      actions: sample(config, p, batch.z, batch.features),
    },
    data,
  );
  for (const junk of [0, 7]) {
    const masked = await run(outputs, { ...data, padded: Float32Array.from(rows(junk)) });
    close(masked.loss, plain.loss);
    close(masked.actions, plain.actions);
  }
});

test('dropout acts on attention weights, on what attention adds and inside the perceptron', async () => {
  const { z, t, features } = inputs();
  const { dropout, masks } = dropoutInputs(0.5);
  const outputs = {
    training: velocity(config, p, z, t, features, dropout),
    evaluation: velocity(config, p, z, t, features),
  };
  const block = [
    [B, 2, T, T],
    [B, T, 8],
    [B, 2, T, S],
    [B, T, 8],
    [B, T, swigluHidden(8)],
  ];
  expect(masks.inputs.map(({ shape }) => shape)).toEqual([...block, ...block]);
  const fill = (dropped?: string) =>
    Object.fromEntries(
      masks.inputs.map(({ name, shape }) => [
        name,
        new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(name === dropped ? 0 : 1),
      ]),
    );
  const whole = await run(outputs, { ...data, ...fill() });
  close(whole.training, whole.evaluation);
  for (const { name } of masks.inputs)
    expect((await run(outputs, { ...data, ...fill(name) })).training, name).not.toEqual(whole.training);
});

test('chunks, features and times of other sizes are refused with their shapes', () => {
  const { z, t, features } = inputs();
  expect(() => sample(config, p, input('z', [B, T + 1, A]), features)).toThrow(
    'This decoder needs chunks [B, 4, 3] and features [B, S, 5]; got [2, 5, 3] and [2, 3, 5].',
  );
  expect(() => velocity(config, p, z, t, input('features', [B, E]))).toThrow('got [2, 4, 3] and [2, 5].');
  expect(() => velocity(config, p, z, input('t', [1]), features)).toThrow('needs one time per chunk, [2]; got [1].');
});
