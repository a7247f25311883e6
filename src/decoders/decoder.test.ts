/** Every decoder keeps the contract: the same calls train it, sample it and bind it to an encoder's tokens. */
import { describe, expect, test } from 'vitest';
import { cpu } from '../engine/index.ts';
import { key, normals } from '../random.ts';
import { byPath, gradOf, input, leaves, pack, symbols, type Tensor } from '../tensor/index.ts';
import * as decoders from './index.ts';
import { pool } from './pool.ts';

const [B, S, W, T, A] = [3, 2, 8, 4, 3];
const sizes = { chunk_length: T, action_dim: A };
const CONFIGS: Record<decoders.DecoderName, object> = {
  nina: { n_layers: 2, affine_dim: 8, cond_dim: 6, ...sizes },
  flower: { dit_dim: 16, n_heads: 2, n_layers: 1, embed_dim: W, dropout: 0, ...sizes },
  regression: { hidden_dim: 16, n_layers: 2, cond_dim: 6, ...sizes },
};

describe.each(decoders.DECODERS)('%s', (decoder) => {
  const config = decoders.decoderSchema.parse({ decoder, ...CONFIGS[decoder] });
  const model = decoders.init(key(1), config, W);
  const { flat } = pack(model.params);
  const p = symbols(model.params);
  const parameters = Object.fromEntries(leaves<{ data: Float32Array }>(model.params).map(([n, { data }]) => [n, data]));
  const tokens = normals(key(2), B * S * W);
  const seen = decoders.context(p, input('tokens', [B, S, W]));

  async function run(outputs: Record<string, Tensor>, data: Record<string, Float32Array>) {
    using program = await cpu.compile(outputs);
    const fed = Object.entries({ ...parameters, ...data }).filter(([name]) => name in program.signature.inputs);
    return await program.run(Object.fromEntries(fed));
  }

  test('is a function of its key', () => {
    expect(pack(decoders.init(key(1), config, W).params).flat).toEqual(flat);
    expect(pack(decoders.init(key(2), config, W).params).flat).not.toEqual(flat);
    expect(decoders.draws(config, key(3), 0, B)).toEqual(decoders.draws(config, key(3), 0, B));
    if (decoder !== 'regression')
      expect(decoders.draws(config, key(3), 1, B)).not.toEqual(decoders.draws(config, key(3), 0, B));
  });

  test('sees the shape that it says', () => {
    expect(seen.shape).toEqual(decoders.contextShape(config, B, S));
  });

  test('a gradient step lowers its loss', async () => {
    const loss = decoders.loss(config, model, p, input('actions', [B, T, A]), seen);
    const named = leaves<Tensor>(p);
    const outputs = { loss, ...byPath(gradOf(loss, p), 'g.') };
    const data = {
      tokens,
      actions: normals(key(4), B * T * A).map((x) => Math.tanh(x)),
      ...decoders.draws(config, key(5), 0, B),
    };
    const before = await run(outputs, data);
    const stepped = named.map(([name]) => [name, parameters[name].map((w, i) => w - 1e-3 * before[`g.${name}`][i])]);
    const after = await run({ loss }, { ...data, ...Object.fromEntries(stepped) });
    expect(after.loss[0]).toBeLessThan(before.loss[0]);
  });

  test('samples chunks; only what generates depends on the noise', async () => {
    const inverses = decoders.inverses(config, model);
    const fixed = inverses && input('inverses', inverses.shape);
    const actions = decoders.sample(config, model, p, input('z', [B, T, A]), seen, fixed);
    expect(actions.shape).toEqual([B, T, A]);
    const draw = (k: number) =>
      run({ actions }, { tokens, z: normals(key(k), B * T * A), ...(inverses && { inverses: inverses.data }) });
    const [one, other] = [await draw(1), await draw(2)];
    if (decoder === 'regression') expect(one.actions).toEqual(other.actions);
    else expect(one.actions).not.toEqual(other.actions);
  });

  test('parameters of another decoder are told', () => {
    const wrong = decoders.DECODERS.find((name) => name !== decoder)!;
    const other = decoders.decoderSchema.parse({ decoder: wrong, ...CONFIGS[wrong] });
    expect(() => decoders.sample(other, model, p, input('z', [B, T, A]), seen)).toThrow(
      `The configuration is of decoder ${wrong}, but the parameters are of ${decoder}.`,
    );
  });
});

test('regression answers with the mean of what it is shown', async () => {
  const config = decoders.decoderSchema.parse({ decoder: 'regression', ...CONFIGS.regression });
  const model = decoders.init(key(1), config, W);
  // Two different actions after the same observation: the squared error is least half way.
  const p = symbols(model.params);
  const seen = decoders.context(p, input('tokens', [2, S, W]));
  const loss = decoders.loss(config, model, p, input('actions', [2, T, A]), seen);
  const actions = decoders.sample(config, model, p, input('z', [2, T, A]), seen);
  const outputs = { actions, ...byPath(gradOf(loss, p), 'g.') };
  using program = await cpu.compile(outputs);
  const one = normals(key(2), S * W);
  const shown = normals(key(3), 2 * T * A);
  const weights = Object.fromEntries(leaves<{ data: Float32Array }>(model.params).map(([n, { data }]) => [n, data]));
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
