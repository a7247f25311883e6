/** The tower's and the encoder's properties; agreement with the reference is in test/parity.test.ts. */
import * as fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { cpu } from '../../engine/index.ts';
import { attention, dropoutInputs, mergeHeads, noDropout, splitQkv } from '../../nn/index.ts';
import { key, normals } from '../../random.ts';
import {
  add,
  byPath,
  constant,
  freeze,
  gradOf,
  input,
  leaves,
  linear,
  mapTree,
  materialise,
  type NDArray,
  pad,
  reshape,
  type Spec,
  slice,
  sum,
  type Tensor,
  transpose,
} from '../../tensor/index.ts';
import { type Florence2Config, schemas, sides, tokensOf, tokensPerView } from './config.ts';
import { tower } from './davit.ts';
import { encodeSequence, imageFeatures, sequence } from './model.ts';
import { blueprint, type Params } from './params.ts';
import { ANY, BASE, LARGE, NANO } from './presets.ts';
import { windowAttention } from './windows.ts';

/** Two float32 evaluations of the same sums in another order, through a few layers. */
const TOLERANCE = 2e-5;

const SMALL = {
  name: 'florence2',
  ...{ image_size: 32, views: ['a', 'b'], max_text: 6, window: 3 },
  ...{ dims: [4, 6, 8, 12], heads: [1, 2, 2, 3], groups: [2, 3, 4, 2], depths: [1, 1, 1, 1] },
  ...{ patch_sizes: [7, 3, 3, 3], strides: [4, 2, 2, 1], pads: [3, 1, 1, 1] },
  ...{ width: 12, layers: 2, encoder_heads: 3, ffn: 16, vocabulary: 20, positions: 32 },
};
const small = schemas(ANY).schema.parse(SMALL);

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Numbers that no initial value is: biases and norms too. */
const params = (config: Florence2Config): Params<NDArray> =>
  mapTree(blueprint(key(1), config), ({ shape }: Spec, path) => {
    const scale = shape.length > 1 ? 1 / Math.sqrt(size(shape.slice(1))) : 0.2;
    const offset = /norm\d?\.weight$/.test(path) ? 1 : 0;
    return { shape, data: normals(key(path.length), size(shape)).map((v) => offset + scale * v) };
  });

const numbers = (seed: number, ...shape: number[]) => constant(normals(key(seed), size(shape)), shape);
const ids = (...words: number[]) => ({ ids: BigInt64Array.from(words, BigInt) });
const text = (B: number, L: number) => input('ids', [B, L], 'int64');

async function run<N extends string>(outputs: Record<N, Tensor>, feeds = {}): Promise<Record<N, Float32Array>> {
  using program = await cpu.compile(outputs);
  return (await program.run(feeds)) as Record<N, Float32Array>;
}

const gap = (a: Float32Array, b: Float32Array) => {
  expect(a.length).toBe(b.length);
  return a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i])), 0);
};

describe('sizes', () => {
  test.each([
    [BASE, 'base'],
    [LARGE, 'large'],
  ] as const)('$name has the names, shapes and parameters of the reference, and <Flow>', (preset, name) => {
    const file = new URL('../../../test/fixtures/florence2-names.json', import.meta.url);
    const reference = JSON.parse(fs.readFileSync(file, 'utf8'))[name];
    const { settings, schema } = schemas(preset);
    const config = schema.parse({ name: preset.name, ...preset.sizes, ...settings.parse({}) });
    const ours: Record<string, number> = {};
    let parameters = 0;
    for (const [path, { shape }] of leaves<Spec>(blueprint(key(0), config))) {
      if (path === 'flow_token') continue;
      parameters += size(shape);
      const alike = path.replace(/(blocks\.\d)\.\d+\./, '$1.*.').replace(/layers\.\d+\./, 'layers.*.');
      const entry = `${alike} [${shape}]`;
      ours[entry] = (ours[entry] ?? 0) + 1;
    }
    expect(ours).toEqual(reference.tensors);
    expect(parameters).toBe(reference.parameters);
  });

  test('the nano has 2 to 3.5 million parameters, and 7 x 7 tokens of a view', () => {
    const { settings, schema } = schemas(NANO);
    const config = schema.parse({ name: NANO.name, ...NANO.sizes, ...settings.parse({}) });
    const parameters = leaves<Spec>(blueprint(key(0), config)).reduce((n, [, { shape }]) => n + size(shape), 0);
    expect(parameters).toBe(2_265_024);
    expect([sides(config), tokensPerView(config), tokensOf(config)]).toEqual([[28, 14, 7, 7], 50, 133]);
  });

  test.each([
    [112, [28, 14, 7, 4]],
    [128, [32, 16, 8, 4]],
    [224, [56, 28, 14, 7]],
  ])('maps of pictures of %i pixels', (image_size, expected) => {
    expect(sides({ image_size, patch_sizes: [7, 3, 3, 3], strides: [4, 2, 2, 2], pads: [3, 1, 1, 1] })).toEqual(
      expected,
    );
  });

  test('what cannot be is refused with both values', () => {
    const messages = (settings: object) =>
      schemas(ANY)
        .schema.safeParse({ ...SMALL, ...settings })
        .error?.issues.map(({ message }) => message);
    expect(messages({ heads: [1, 4, 2, 3] })).toEqual([
      'heads must divide dims; got 4 heads for the width 6 of stage 1',
    ]);
    expect(messages({ groups: [2, 3, 4, 5] })).toEqual([
      'groups must divide dims; got 5 groups for the width 12 of stage 3',
    ]);
    expect(messages({ encoder_heads: 5 })).toEqual(['encoder_heads must divide width; got 5 heads for a width of 12']);
    expect(messages({ pads: [3, 3, 1, 1], strides: [4, 2, 2, 2] })).toEqual([
      'pads must be below patch_sizes; got a pad of 3 for the kernel 3 of stage 1',
    ]);
    expect(messages({ shifts: [3] })).toEqual(['every view needs a largest shift; got 1 for 2 views']);
    expect(messages({ state_size: 3 })).toEqual(['state_size goes with proprio; got state_size 3 and proprio false']);
    expect(messages({ max_text: 40 })).toEqual([
      'the encoder has 32 positions; got a sequence of 51 tokens (2 views of 5, max_text 40)',
    ]);
    expect(messages({ image_size: 816, views: ['a'], positions: 4000 })).toEqual([
      "the stages' maps need at least 1 token on a side and the last at most 50; got 204, 102, 51, 51 for pictures of 816 pixels",
    ]);
    expect(messages({ prompt: 'do it' })).toEqual(['wanted {instruction} where the instruction goes']);
  });
});

describe('windows', () => {
  const [M, C, heads] = [2, 6, 2];
  const p = freeze(params(small).vision_tower.blocks[1][0].spatial_block.window_attn);
  const ofWindows = (x: Tensor, n: number) =>
    linear(windowAttention(linear(x, p.qkv.weight, p.qkv.bias), p.qkv.bias, n, heads), p.proj.weight, p.proj.bias);

  /** As the reference does it: zeros right and below, all of them attended. */
  function padded(x: Tensor, H: number, n: number): Tensor {
    const G = Math.ceil(H / n) * n;
    const map = reshape(x, [M, H, H, C]);
    const more = G > H ? pad(pad(map, 1, 0, G - H), 2, 0, G - H) : map;
    const W = G / n;
    const apart = transpose(reshape(more, [M, W, n, W, n, C]), [0, 1, 3, 2, 4, 5]);
    const [q, k, v] = splitQkv(linear(reshape(apart, [M * W * W, n * n, C]), p.qkv.weight, p.qkv.bias), heads);
    const y = linear(mergeHeads(attention(q, k, v)), p.proj.weight, p.proj.bias);
    const together = transpose(reshape(y, [M, W, W, n, n, C]), [0, 1, 3, 2, 4, 5]);
    const whole = reshape(together, [M, G, G, C]);
    return reshape(slice(slice(whole, 1, 0, H), 2, 0, H), [M, H * H, C]);
  }

  test.each([
    [4, 4],
    [6, 3],
    [3, 5],
    [7, 3],
    [8, 5],
  ])('a map of side %i in windows of %i is what padding makes of it', async (H, n) => {
    const x = numbers(3, M, H * H, C);
    const { ours, expected } = await run({ ours: ofWindows(x, n), expected: padded(x, H, n) });
    expect(gap(ours, expected)).toBeLessThan(TOLERANCE);
  });

  test('the padding of a cut window counts', async () => {
    // In a window of 4 there is none, in one of 5 there are nine.
    const x = numbers(3, M, 16, C);
    const { whole, cut } = await run({ whole: ofWindows(x, 4), cut: ofWindows(x, 5) });
    expect(gap(whole, cut)).toBeGreaterThan(100 * TOLERANCE);
  });
});

describe('the sequence', () => {
  const p = freeze(params(small));
  const [B, L] = [2, small.max_text];
  const pixels = numbers(5, B, 2, 3, 32, 32);
  const features = imageFeatures(small, p, pixels, noDropout);
  const words = ids(0, 5, 7, 2, 1, 1, 0, 9, 2, 1, 1, 1);
  const real = constant([1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0], [B, L]);

  test('a padded text is what it is without padding', async () => {
    const alone = encodeSequence(
      small,
      p,
      slice(features, 0, 0, 1),
      { ids: input('alone', [1, 4], 'int64'), real: constant([1, 1, 1, 1], [1, 4]) },
      noDropout,
    );
    const { tokens, mask } = encodeSequence(small, p, features, { ids: text(B, L), real }, noDropout);
    const result = await run(
      { tokens, alone: alone.tokens, mask: mask! },
      { ...words, alone: BigInt64Array.from([0n, 5n, 7n, 2n]) },
    );
    const S = 2 * 5 + 1 + 4;
    expect(gap(result.tokens.subarray(0, S * small.width), result.alone)).toBeLessThan(TOLERANCE);
    const ones = (n: number) => new Array<number>(n).fill(1);
    expect([...result.mask]).toEqual([...ones(S), 0, 0, ...ones(S - 1), 0, 0, 0]);
  });

  test('padding that is attended to changes what is said, and has no gradient', async () => {
    const inputs = { ids: text(B, L), real };
    const drawn = mapTree(params(small), (leaf: NDArray, path) => input(path, leaf.shape)) as Params<Tensor>;
    const padding = constant(params(small).language_model.shared.weight.data.subarray(12, 24), [12]);
    const seen = numbers(6, B, 2, 5, 12);
    const open = encodeSequence(small, drawn, seen, { ...inputs, padding }, noDropout);
    const closed = encodeSequence(small, drawn, seen, inputs, noDropout);
    // Of what a decoder reads: the tokens that are there.
    const loss = sum(open.tokens);
    const gradients = gradOf(loss, { shared: drawn.language_model.shared.weight });
    const weights = Object.fromEntries(leaves<NDArray>(params(small)).map(([path, { data }]) => [path, data]));
    const outputs = { open: open.tokens, closed: closed.tokens, ...byPath(gradients) };
    using program = await cpu.compile(outputs as Record<string, Tensor>);
    const needed = Object.entries({ ...weights, ...words }).filter(([name]) => name in program.signature.inputs);
    const result = await program.run(Object.fromEntries(needed));
    expect(gap(result.open, result.closed)).toBeGreaterThan(100 * TOLERANCE);
    const rows = Array.from({ length: 10 }, (_, row) => result.shared.subarray(row * 12, row * 12 + 12));
    expect(rows.map((row) => row.some((v) => v !== 0))).toEqual(
      [0, 2, 5, 7, 9].reduce((at, row) => at.with(row, true), new Array<boolean>(10).fill(false)),
    );
  });

  test('the order is first view, wrist view, <Flow>, the state, text', async () => {
    const config = schemas(ANY).schema.parse({ ...SMALL, proprio: true, state_size: 3 });
    const q = freeze(params(config));
    const state = numbers(8, B, 3);
    const { all, f } = await run({ all: sequence(q, features, { ids: text(B, L), real, state }), f: features }, words);
    expect(all.length).toBe(B * tokensOf(config) * 12);
    const token = (i: number) => [...all.subarray(i * 12, i * 12 + 12)];
    expect(token(0)).toEqual([...f.subarray(0, 12)]);
    expect(token(5)).toEqual([...f.subarray(60, 72)]);
    const own = params(config);
    expect(token(10)).toEqual([...own.flow_token.data]);
    const moved = await run({ all: sequence(q, features, { ids: text(B, L), real, state: add(state, 1) }) }, words);
    const changed = Array.from(
      { length: 18 },
      (_, i) => gap(moved.all.subarray(i * 12, i * 12 + 12), Float32Array.from(token(i))) > 0,
    );
    expect(changed.flatMap((yes, i) => (yes ? [i] : []))).toEqual([11]);
    expect(token(12)).toEqual([...own.language_model.shared.weight.data.subarray(0, 12)]);
  });

  test('two views are two pictures', async () => {
    const one = imageFeatures(small, p, slice(pixels, 1, 1, 2), noDropout);
    const { both, second } = await run({ both: slice(features, 1, 1, 2), second: one });
    expect(gap(both, second)).toBeLessThan(TOLERANCE);
  });
});

describe('training', () => {
  test('rates of 0 need no masks; else the later a branch of the tower, the more pictures go without it', () => {
    const masksOf = (settings: object) => {
      const config = schemas(ANY).schema.parse({ ...SMALL, ...settings });
      const { dropout, masks } = dropoutInputs(config.dropout);
      const p = freeze(params(config));
      const features = imageFeatures(config, p, numbers(5, 2, 2, 3, 32, 32), dropout);
      encodeSequence(config, p, features, { ids: text(2, 6), real: numbers(1, 2, 6) }, dropout);
      return masks.inputs;
    };
    expect(masksOf({ dropout: 0, token_dropout: 0, drop_path: 0 })).toEqual([]);
    const paths = masksOf({ dropout: 0, token_dropout: 0, drop_path: 0.7 });
    // Eight branches of attention and as many perceptrons; the first is never dropped.
    expect(paths.map(({ rate }) => Math.round(rate * 10))).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]);
    expect(paths.every(({ shape }) => shape.join() === '4,1,1')).toBe(true);
    expect(masksOf({ dropout: 0, token_dropout: 0.2, drop_path: 0 })).toEqual([
      { name: 'dropout.0', shape: [2, 17, 12], rate: 0.2 },
    ]);
    // After the norm of embeddings, and of each layer the attention weights, its result, the hidden layer, its result.
    expect(masksOf({ dropout: 0.3, token_dropout: 0, drop_path: 0 })).toHaveLength(1 + 2 * 4);
  });

  test('every parameter has a gradient', async () => {
    const values = materialise(blueprint(key(2), small));
    const p = mapTree(values, (leaf: NDArray, path) => input(path, leaf.shape)) as Params<Tensor>;
    const features = imageFeatures(small, p, numbers(5, 1, 2, 3, 32, 32), noDropout);
    const { tokens } = encodeSequence(
      small,
      p,
      features,
      { ids: text(1, 6), real: constant([1, 1, 1, 1, 1, 1], [1, 6]) },
      noDropout,
    );
    // A plain sum would not do: the last norm makes it that of its biases.
    const loss = sum(linear(reshape(tokens, [17, 12]), numbers(9, 1, 12)));
    const gradients = byPath<Tensor>(gradOf(loss, p));
    using program = await cpu.compile(gradients);
    const feeds = Object.fromEntries(leaves<NDArray>(values).map(([path, { data }]) => [path, data]));
    const needed = Object.entries({ ...feeds, ...ids(0, 3, 4, 5, 6, 2) }).filter(
      ([name]) => name in program.signature.inputs,
    );
    const result = await program.run(Object.fromEntries(needed));
    const dead = Object.entries(result).flatMap(([path, g]) => (g.some((v) => v !== 0) ? [] : [path]));
    expect(dead).toEqual([]);
  });

  test('the tower of pictures in a batch is that of each alone', async () => {
    const p = freeze(params(small)).vision_tower;
    const pixels = numbers(5, 20, 3, 32, 32);
    // Batches are convolved as products of matrices, few pictures by the runtime's own operation.
    const { batch, alone } = await run({
      batch: slice(tower(small, p, pixels, noDropout).ends[3], 0, 19, 20),
      alone: tower(small, p, slice(pixels, 0, 19, 20), noDropout).ends[3],
    });
    expect(gap(batch, alone)).toBeLessThan(TOLERANCE);
  });
});
