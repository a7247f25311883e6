import { describe, expect, test } from 'vitest';
import { cpu, type Feed } from '../engine/index.ts';
import { key } from '../random.ts';
import { constant, leaves, materialise, type NDArray, symbols, type Tensor, type Tree } from '../tensor/index.ts';
import {
  attention,
  causalMask,
  dropoutInputs,
  initAttention,
  initLinear,
  initMlp,
  initNorm,
  linear,
  mergeHeads,
  mlp,
  noDropout,
  paddingMask,
  selfAttention,
  splitHeads,
} from './index.ts';

/** Two float32 evaluations of the same few hundred products. */
const TOLERANCE = 1e-5;

async function run(outputs: Record<string, Tensor>, feeds: Record<string, Feed> = {}) {
  using program = await cpu.compile(outputs);
  return await program.run(feeds);
}

const numbers = (n: number, scale = 1) => Array.from({ length: n }, (_, i) => scale * Math.sin(1 + 3 * i));
const feedsOf = (p: Tree<NDArray>) => Object.fromEntries(leaves<NDArray>(p).map(([path, { data }]) => [path, data]));

function close(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < actual.length; i++) expect(Math.abs(actual[i] - expected[i])).toBeLessThan(TOLERANCE);
}

describe('initial values are PyTorch defaults', () => {
  test('linear: uniform within 1 / sqrt(fan in), filling the interval', () => {
    const { weight, bias } = materialise(initLinear(key(1), 100, 400));
    for (const { data } of [weight, bias]) {
      for (const extreme of [Math.max(...data), -Math.min(...data)]) {
        expect(extreme).toBeLessThanOrEqual(0.1);
        expect(extreme).toBeGreaterThan(0.09);
      }
    }
    expect([weight.shape, bias.shape]).toEqual([[400, 100], [400]]);
  });

  test('attention: Glorot over the packed projection, zero biases; norm: one and zero', () => {
    const { qkv, out } = materialise(initAttention(key(1), 64));
    const largest = Math.max(...qkv.weight.data.map(Math.abs));
    expect(largest).toBeLessThanOrEqual(Math.sqrt(6 / 256));
    expect(largest).toBeGreaterThan(0.95 * Math.sqrt(6 / 256));
    expect([...qkv.bias.data, ...out.bias.data].every((v) => v === 0)).toBe(true);
    const norm = materialise(initNorm(3, [2]));
    expect([norm.weight.shape, [...norm.weight.data], [...norm.bias.data]]).toEqual([
      [2, 1, 3],
      [1, 1, 1, 1, 1, 1],
      [0, 0, 0, 0, 0, 0],
    ]);
  });

  test('a key decides every number', () => {
    const drawn = materialise(initMlp(key(1), [3, 4, 2]));
    expect(materialise(initMlp(key(1), [3, 4, 2]))).toEqual(drawn);
    // Also when it is drawn again, into arrays of its own.
    const blueprint = initMlp(key(1), [3, 4, 2]);
    materialise(blueprint).first.weight.data.fill(0);
    expect(materialise(blueprint)).toEqual(drawn);
    expect(initLinear(key(1), 3, 4).weight.draw()).not.toEqual(initLinear(key(2), 3, 4).weight.draw());
  });
});

test('a stack of layers is its members side by side', async () => {
  const stack = materialise(initMlp(key(1), [3, 5, 5, 2], [2]));
  const x = constant(numbers(12), [4, 3]);
  const member = (k: number) => {
    const part = (t: NDArray): NDArray => {
      const size = t.data.length / 2;
      const shape = t.shape.slice(1).filter((d, i) => !(i === 0 && d === 1)); // biases and norms are [2, 1, width]
      return { shape, data: t.data.subarray(k * size, (k + 1) * size) };
    };
    const both = <T extends { weight: NDArray; bias: NDArray }>({ weight, bias }: T) => ({
      weight: part(weight),
      bias: part(bias),
    });
    return {
      first: both(stack.first),
      hidden: stack.hidden.map(({ norm, linear }) => ({ norm: both(norm), linear: both(linear) })),
    };
  };
  const { y } = await run({ y: mlp(symbols(stack), x) }, feedsOf(stack));
  for (const k of [0, 1]) {
    const alone = member(k);
    const result = await run({ y: mlp(symbols(alone), x) }, feedsOf(alone));
    close(y.subarray(8 * k, 8 * k + 8), result.y);
  }
});

describe('attention', () => {
  const [B, S, E] = [2, 3, 4];
  const x = (seed: number) => constant(numbers(B * S * E, seed), [B, S, E]);

  test('a token that must not be looked at cannot be heard', async () => {
    const mask = paddingMask(constant([1, 1, 0, 1, 0, 1], [B, S]));
    const changed = numbers(B * S * E, 0.9);
    for (const at of [2, 4]) changed.fill(1e3, at * E, (at + 1) * E);
    const loud = constant(changed, [B, S, E]);
    const [y, other] = [attention(x(1), x(0.7), x(0.9), { mask }), attention(x(1), x(0.7), loud, { mask })];
    const r = await run({ y, other, open: attention(x(1), x(0.7), loud) });
    expect(r.other).toEqual(r.y);
    expect(r.open).not.toEqual(r.y);
  });

  test('a causal mask leaves the past and now', async () => {
    const future = numbers(B * S * E, 0.9).map((v, i) => (Math.floor(i / E) % S === S - 1 ? v + 1 : v));
    const heard = (v: Tensor) => attention(x(1), x(0.7), v, { mask: causalMask(S) });
    const r = await run({ y: heard(x(0.9)), other: heard(constant(future, [B, S, E])) });
    for (let row = 0; row < B * S; row++) {
      const [a, b] = [r.y, r.other].map((t) => t.subarray(row * E, (row + 1) * E));
      if (row % S === S - 1) expect(a).not.toEqual(b);
      else expect(a).toEqual(b);
    }
  });

  test('heads apart and together again are what they were', async () => {
    const apart = splitHeads(x(1), 2);
    expect(apart.shape).toEqual([B, 2, S, E / 2]);
    expect([...(await run({ y: mergeHeads(apart) })).y]).toEqual([...Float32Array.from(numbers(B * S * E, 1))]);
  });
});

describe('self-attention', () => {
  const [B, S, E, heads] = [2, 3, 4, 2];
  const p = materialise(initAttention(key(3), E));
  p.qkv.bias.data.set(numbers(3 * E, 0.3));

  test('agrees with its definition, written with loops', async () => {
    const x = numbers(B * S * E);
    const { y } = await run({ y: selfAttention(symbols(p), constant(x, [B, S, E]), heads) }, feedsOf(p));
    const row = (w: NDArray, b: NDArray, v: number[]) =>
      Array.from(b.data, (bias, o) => v.reduce((sum, value, i) => sum + value * w.data[o * v.length + i], bias));
    const expected: number[] = [];
    for (let b = 0; b < B; b++) {
      const tokens = Array.from({ length: S }, (_, s) => x.slice((b * S + s) * E, (b * S + s + 1) * E));
      const qkv = tokens.map((t) => row(p.qkv.weight, p.qkv.bias, t));
      for (let s = 0; s < S; s++) {
        const mixed: number[] = [];
        const depth = E / heads;
        for (let h = 0; h < heads; h++) {
          const part = (t: number, which: number) => qkv[t].slice(which * E + h * depth, which * E + (h + 1) * depth);
          const scores = tokens.map((_, t) => {
            const dot = part(s, 0).reduce((sum, q, i) => sum + q * part(t, 1)[i], 0);
            return Math.exp(dot / Math.sqrt(depth));
          });
          const total = scores.reduce((a, c) => a + c, 0);
          for (let i = 0; i < depth; i++)
            mixed.push(scores.reduce((sum, w, t) => sum + (w / total) * part(t, 2)[i], 0));
        }
        expected.push(...row(p.out.weight, p.out.bias, mixed));
      }
    }
    close(y, expected);
  });

  test('a width that heads do not divide is refused with both numbers', () => {
    expect(() => selfAttention(symbols(p), constant(numbers(8), [1, 2, 4]), 3)).toThrow(
      'Attention needs a width divisible by its heads; got width 4 and 3 heads.',
    );
  });
});

describe('dropout', () => {
  test('each use has its own mask of the shape of its tensor', async () => {
    const { dropout, masks } = dropoutInputs(0.25);
    const x = constant([1, 2, 3, 4], [2, 2]);
    const y = dropout(dropout(x));
    expect(masks.inputs).toEqual([
      { name: 'dropout.0', shape: [2, 2], rate: 0.25 },
      { name: 'dropout.1', shape: [2, 2], rate: 0.25 },
    ]);
    const feeds = { 'dropout.0': Float32Array.of(0, 2, 2, 2), 'dropout.1': Float32Array.of(2, 2, 0, 2) };
    expect([...(await run({ y }, feeds)).y]).toEqual([0, 8, 0, 16]);
  });

  test('a use may have a rate of its own, and a mask that broadcasts', async () => {
    const { dropout, masks } = dropoutInputs(0);
    const y = dropout(constant([1, 2, 3, 4], [2, 2]), { rate: 0.5, shape: [2, 1] });
    expect(masks.inputs).toEqual([{ name: 'dropout.0', shape: [2, 1], rate: 0.5 }]);
    expect([...(await run({ y }, { 'dropout.0': Float32Array.of(2, 0) })).y]).toEqual([2, 4, 0, 0]);
  });

  test('a rate of 0 is the identity; 1 and beyond are refused', () => {
    const x = constant([1], [1]);
    const { dropout, masks } = dropoutInputs(0.5);
    expect(dropout(x, { rate: 0 })).toBe(x);
    expect(dropoutInputs(0).dropout(x)).toBe(x);
    expect(noDropout(x, { rate: 0.5 })).toBe(x);
    expect(masks.inputs).toEqual([]);
    const message = 'A dropout rate must be in [0, 1); got 1.';
    expect(() => dropoutInputs(1)).toThrow(message);
    expect(() => dropout(x, { rate: 1 })).toThrow(message);
  });
});

test('linear keeps leading axes', () => {
  const { weight, bias } = symbols(initLinear(key(1), 3, 2));
  expect(linear({ weight, bias }, constant(numbers(24), [2, 4, 3])).shape).toEqual([2, 4, 2]);
});
