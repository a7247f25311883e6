/** Every decoder keeps the contract: the same calls train it, sample it and bind it to an encoder's tokens. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { cpu } from '../engine/index.ts';
import { key, normals } from '../random.ts';
import {
  gradOf,
  input,
  layoutOf,
  leaves,
  type NDArray,
  pack,
  type Spec,
  symbols,
  type Tensor,
} from '../tensor/index.ts';
import { is, topological } from '../tensor/tensor.ts';
import { DECODERS, type DecoderConfig, decoderOf, decoderSchema, drawModel } from './index.ts';
import { pool } from './pool.ts';

const [B, S, W, T, A] = [3, 2, 8, 4, 3];
const sizes = { chunk_length: T, action_dim: A };
const SMALL: Readonly<Record<string, object>> = {
  nina: { n_layers: 2, affine_dim: 8, cond_dim: 6, ...sizes },
  flower: { dit_dim: 16, n_heads: 2, n_layers: 2, dropout: 0, ...sizes },
  regression: { hidden_dim: 16, n_layers: 2, cond_dim: 6, ...sizes },
};
const configOf = (name: string, change: object = {}): DecoderConfig =>
  decoderSchema.parse({ name, ...SMALL[name], ...change });
const drawn = (config: DecoderConfig, seed: number) => drawModel(decoderOf(config).blueprint(key(seed), config, W));

test('every decoder of the registry is tested here', () => {
  const names = DECODERS.map(({ name }) => name);
  expect(names).toEqual(Object.keys(SMALL));
  expect(() => decoderOf({ name: 'mamba' })).toThrow(`There is no decoder mamba; there are ${names.join(', ')}.`);
});

/** Of trained models' beginnings: whoever repeats a training with its seed must start from the same numbers. */
test.each([
  ['nina', { use_plu: false }, '0009e11c8c6bea9a'],
  ['flower', {}, 'c55b867c31fc6afd'],
  ['regression', {}, '6e466805cd1073a2'],
])('the numbers that %s %j starts with are those they always were', (name, change, expected) => {
  const { params, buffers } = drawn(configOf(name, change), 1);
  const hash = createHash('sha256')
    .update(Buffer.from(pack(params).flat.buffer))
    .update(JSON.stringify(buffers));
  expect(hash.digest('hex').slice(0, 16)).toBe(expected);
});

test.each([
  ['nina', { affine_dim: 1e6, n_layers: 256 }],
  ['nina', { backbone: 'trans', affine_dim: 8e5, n_layers: 256, block_depth: 64 }],
  ['flower', { dit_dim: 1e6, n_layers: 256 }],
  ['regression', { hidden_dim: 1e6, n_layers: 256 }],
])('the largest %s has a size, and nothing is drawn for it', (name, change) => {
  const config = configOf(name, change);
  const { params } = decoderOf(config).blueprint(key(1), config, W);
  expect(layoutOf(params).size).toBeGreaterThan(1e12);
});

test.each([
  ['nina', { n_layers: 257 }],
  ['nina', { block_depth: 65 }],
  ['flower', { n_layers: 257 }],
  ['regression', { n_layers: 257 }],
])('a %s with more parts than anybody trains is refused: %j', (name, change) => {
  expect(decoderSchema.safeParse({ name, ...change }).error?.issues[0].message).toMatch(/^Too big: expected number/);
});

test('weight decay is for what multiplies: matrices, but not biases, norms and diagonals', () => {
  for (const [name, change] of [
    ['nina', {}],
    ['nina', { backbone: 'trans', n_heads: 2 }],
    ['flower', {}],
    ['regression', {}],
  ] as const) {
    const config = configOf(name, change);
    const specs = leaves<Spec>(decoderOf(config).blueprint(key(1), config, W).params);
    const decays = (path: string, { shape }: Spec) => shape.length >= 2 && !/(^|\.)(bias|s|norm\d*\.\w+)$/.test(path);
    for (const [path, spec] of specs) expect([path, spec.decay]).toEqual([path, decays(path, spec)]);
  }
});

describe.each(DECODERS.map(({ name }) => name))('%s', (name) => {
  const config = configOf(name);
  const decoder = decoderOf(config);
  const model = drawn(config, 1);
  const p = symbols(model.params);
  const parameters = Object.fromEntries(leaves<NDArray>(model.params).map(([n, { data }]) => [n, data]));
  const derived = decoder.derived(config, model);
  const bound = decoder.bind(config, model.buffers, p, symbols(derived, 'derived.'));
  const tokens = normals(key(2), B * S * W);
  const seen = bound.context(input('tokens', [B, S, W]));

  async function run(outputs: Record<string, Tensor>, data: Record<string, Float32Array>) {
    using program = await cpu.compile(outputs);
    const fixed = Object.entries(derived).map(([n, { data }]): [string, Float32Array] => [`derived.${n}`, data]);
    const fed = Object.entries({ ...parameters, ...Object.fromEntries(fixed), ...data });
    return await program.run(Object.fromEntries(fed.filter(([n]) => n in program.signature.inputs)));
  }

  test('is a function of its key', () => {
    expect(drawn(config, 1)).toEqual(model);
    expect(pack(drawn(config, 2).params).flat).not.toEqual(pack(model.params).flat);
    const draws = (step: number) => decoder.draws(config, key(3), step, B);
    expect(draws(0)).toEqual(draws(0));
    if (Object.keys(draws(0)).length > 0) expect(draws(1)).not.toEqual(draws(0));
  });

  test('says the sizes of what it draws', () => {
    const { buffers } = decoder.blueprint(key(1), config, W);
    for (const [buffer, { length }] of Object.entries(buffers)) expect(model.buffers[buffer]).toHaveLength(length);
    expect(seen.shape).toEqual(decoder.contextShape(config, B, S, W, false));
    const masked = bound.context(input('tokens', [B, S, W]), input('mask', [B, S]));
    expect(masked.shape).toEqual(decoder.contextShape(config, B, S, W, true));
    const sizesOf = (tensors: Readonly<Record<string, { shape: readonly number[] }>>) =>
      Object.entries(tensors).map(([n, { shape }]) => [n, shape.reduce((a, b) => a * b, 1)]);
    const draws = Object.entries(decoder.draws(config, key(3), 0, B)).map(([n, data]) => [n, data.length]);
    expect(draws).toEqual(sizesOf(decoder.inputs(config, B)));
  });

  test('a gradient step lowers its loss', async () => {
    const loss = bound.loss(input('actions', [B, T, A]), seen, decoder.inputs(config, B));
    const gradients = leaves<Tensor>(gradOf(loss, p));
    const data = {
      tokens,
      actions: normals(key(4), B * T * A).map((x) => Math.tanh(x)),
      ...decoder.draws(config, key(5), 0, B),
    };
    const before = await run({ loss, ...Object.fromEntries(gradients.map(([n, g]) => [`g.${n}`, g])) }, data);
    const stepped = gradients.map(([n]) => [n, parameters[n].map((w, i) => w - 1e-3 * before[`g.${n}`][i])]);
    const after = await run({ loss }, { ...data, ...Object.fromEntries(stepped) });
    expect(after.loss[0]).toBeLessThan(before.loss[0]);
  });

  test('samples chunks; only what takes noise depends on it', async () => {
    const actions = bound.sample(input('z', [B, T, A]), seen);
    expect(actions.shape).toEqual([B, T, A]);
    const draws = topological([actions]).some((t) => is(t, 'input') && t.attrs.name === 'z');
    expect(draws).toBe(name !== 'regression');
    const draw = (k: number) => run({ actions }, { tokens, z: normals(key(k), B * T * A) });
    const [one, other] = [await draw(1), await draw(2)];
    if (draws) expect(one.actions).not.toEqual(other.actions);
    else expect(one.actions).toEqual(other.actions);
  });

  test('has a density if it says so, and that of a sample is the same by both ways', async () => {
    const { density } = bound;
    expect(density !== undefined).toBe(decoder.hasDensity);
    if (!density) return;
    const [actions, logProb] = density.sampleAndLogProb(input('z', [B, T, A]), seen);
    const found = await run({ actions, logProb }, { tokens, z: normals(key(6), B * T * A) });
    const scored = density.logProb(input('actions', [B, T, A]), seen);
    const { again } = await run({ again: scored }, { tokens, actions: found.actions });
    again.forEach((nats, row) => {
      expect(nats).toBeCloseTo(found.logProb[row], 3);
    });
  });
});

test('regression answers with the mean of what it is shown', async () => {
  const config = configOf('regression');
  const model = drawn(config, 1);
  // Two different actions after the same observation: the squared error is least half way.
  const p = symbols(model.params);
  const bound = decoderOf(config).bind(config, {}, p);
  const seen = bound.context(input('tokens', [2, S, W]));
  const loss = bound.loss(input('actions', [2, T, A]), seen, {});
  const actions = bound.sample(input('z', [2, T, A]), seen);
  const gradients = leaves<Tensor>(gradOf(loss, p)).map(([name, g]) => [`g.${name}`, g]);
  using program = await cpu.compile({ actions, ...Object.fromEntries(gradients) });
  const one = normals(key(2), S * W);
  const shown = normals(key(3), 2 * T * A);
  const weights = Object.fromEntries(leaves<NDArray>(model.params).map(([n, { data }]) => [n, data]));
  let answer = new Float32Array();
  for (let step = 0; step < 300; step++) {
    const found = await program.run({ ...weights, tokens: Float32Array.from([...one, ...one]), actions: shown });
    for (const [name, w] of Object.entries(weights)) {
      const g = found[`g.${name}`];
      for (let i = 0; i < w.length; i++) w[i] -= 0.1 * g[i];
    }
    answer = found.actions.slice(0, T * A);
  }
  const wanted = answer.map((_, i) => (shown[i] + shown[T * A + i]) / 2);
  const worst = Math.max(...answer.map((a, i) => Math.abs(a - wanted[i])));
  expect(worst).toBeLessThan(0.02);
});

test.each([1, 5])('the pooled condition is the projected mean of %i tokens', async (S) => {
  const p = { weight: input('weight', [3, W]), bias: input('bias', [3]) };
  using program = await cpu.compile({ condition: pool(p, input('tokens', [2, S, W])) });
  const data = { weight: normals(key(1), 3 * W), bias: normals(key(2), 3), tokens: normals(key(3), 2 * S * W) };
  const { condition } = await program.run(data);
  const at = (b: number, c: number) => {
    let sum = data.bias[c];
    for (let s = 0; s < S; s++)
      for (let w = 0; w < W; w++) sum += (data.tokens[(b * S + s) * W + w] * data.weight[c * W + w]) / S;
    return sum;
  };
  for (let i = 0; i < 6; i++) expect(condition[i]).toBeCloseTo(at(Math.floor(i / 3), i % 3), 5);
});

test('padding is not pooled', async () => {
  const p = { weight: input('weight', [3, W]), bias: input('bias', [3]) };
  const whole = pool(p, input('tokens', [1, 2, W]));
  const padded = pool(p, input('padded', [1, 4, W]), input('mask', [1, 4]));
  using program = await cpu.compile({ whole, padded });
  const tokens = normals(key(3), 2 * W);
  const data = { weight: normals(key(1), 3 * W), bias: normals(key(2), 3), mask: Float32Array.of(1, 0, 1, 0) };
  const junk = new Float32Array(W).fill(1e3);
  const between = Float32Array.of(...tokens.subarray(0, W), ...junk, ...tokens.subarray(W), ...junk);
  const found = await program.run({ ...data, tokens, padded: between });
  found.padded.forEach((v, i) => {
    expect(v).toBeCloseTo(found.whole[i], 5);
  });
});
