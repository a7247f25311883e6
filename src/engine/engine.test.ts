import * as web from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import { freeze, grad, input, lazily, linear, type Tensor, weight } from '../tensor/index.ts';
import { emit } from '../tensor/onnx/emit.ts';
import { add, embed, matmul, mul, square, sum, tanh } from '../tensor/ops.ts';
import { cpu, type Engine, ProgramCache } from './index.ts';
import { onnxruntimeWeb } from './onnxruntime-web.ts';
import { wasm } from './wasm.ts';

const x = input('x', [2, 3]);

web.env.wasm.numThreads = 1;
web.env.logLevel = 'error';
const ENGINES: Readonly<Record<string, Engine>> = {
  'ONNX Runtime for Node': cpu,
  'ONNX Runtime for the web': onnxruntimeWeb(web, { device: 'wasm' }),
};

describe.each(Object.entries(ENGINES))('%s', (_, engine) => {
  it('fills preallocated views of a flat array', async () => {
    const w = input('w', [3, 1]);
    const y = matmul(x, w);
    const [gx, gw] = grad(sum(y), [x, w]);
    using program = await engine.compile({ gx: gx, gw: gw });
    const flat = new Float32Array(12).fill(-1);
    const into = { gx: flat.subarray(1, 7), gw: flat.subarray(8, 11) };
    const out = await program.run({ x: Float32Array.of(1, 2, 3, 4, 5, 6), w: Float32Array.of(7, 8, 9) }, into);
    expect([...flat]).toEqual([-1, 7, 8, 9, 7, 8, 9, -1, 5, 7, 9, -1]);
    expect(out.gw).toBe(into.gw);
  });

  it('answers with many results as with one: scalars, rows to be added up, filled or fresh', async () => {
    const [table, ids] = [input('table', [4, 2]), input('ids', [3], 'int64')];
    const loss = sum(mul(square(embed(table, ids)), 0.5));
    const [gTable] = grad(loss, [table]);
    const scaled = Array.from({ length: 12 }, (_, i): [string, Tensor] => [`x${i}`, mul(x, i + 1)]);
    using program = await engine.compile({ loss, gTable, ...Object.fromEntries(scaled) });
    const numbers = Float32Array.of(1, 2, 3, 4, 5, 6);
    const into = { gTable: new Float32Array(8).fill(9), x3: new Float32Array(6) };
    const feeds = { x: numbers, table: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), ids: BigInt64Array.of(2n, 0n, 2n) };
    const out = await program.run(feeds, into);
    expect(out.loss[0]).toBe((2 * (25 + 36) + 1 + 4) / 2);
    expect([...into.gTable]).toEqual([1, 2, 0, 0, 10, 12, 0, 0]);
    for (let i = 0; i < 12; i++) expect([...out[`x${i}`]]).toEqual([...numbers.map((v) => v * (i + 1))]);
    expect(out.x3).toBe(into.x3);
    await expect(program.run(feeds, { y: numbers })).rejects.toThrow(
      'The program has no output y; it has loss, gTable',
    );
  });

  it('reads what the fed arrays hold at each run', async () => {
    using program = await engine.compile({ y: mul(x, 2) });
    const feed = new Float32Array(6).fill(1);
    expect((await program.run({ x: feed })).y[0]).toBe(2);
    feed.fill(5);
    expect((await program.run({ x: feed })).y[0]).toBe(10);
  });

  it('returns an output that is an input, twice', async () => {
    using program = await engine.compile({ a: x, b: x });
    const feed = Float32Array.of(1, 2, 3, 4, 5, 6);
    const { a, b } = await program.run({ x: feed });
    expect(a).toEqual(feed);
    expect(b).toEqual(feed);
  });

  it('reads shared weights from their array at each run, packed ones when compiled, and neither is in its bytes', async () => {
    const data = new Float32Array(1e5).fill(1);
    const w = weight(data, [1e5]);
    using first = await engine.compile({ y: sum(w) });
    using second = await engine.compile({ y: sum(mul(w, 2)) });
    data.fill(3);
    expect((await first.run({})).y[0]).toBe(3e5);
    expect((await second.run({})).y[0]).toBe(6e5);
    using packed = await engine.compile({ y: sum(w) }, { weights: 'packed' });
    data.fill(4);
    expect((await packed.run({})).y[0]).toBe(3e5);
    const { model } = emit({ y: add(sum(w), sum(weight(data, [1e5, 1]))) });
    expect(model.length).toBeLessThan(1e3);
    expect(emit({ y: sum(w) }, { weights: 'packed' }).model.length).toBeLessThan(1e3);
  });

  it("adds up the rows of an embedding's gradient outside the graph, over what was in the array", async () => {
    const table = input('table', [4, 2]);
    const loss = sum(square(embed(table, input('ids', [3], 'int64'))));
    const outputs = { loss, g: grad(loss, [table])[0] };
    expect(emit(outputs).rowSums).toEqual({ g: { ids: 'ids', rows: [3, 2] } });
    expect(Buffer.from(emit(outputs).model).includes('Scatter')).toBe(false);
    // What is exported is whole.
    expect(Buffer.from(emit(outputs, { standard: true }).model).includes('Scatter')).toBe(true);
    using program = await engine.compile(outputs);
    expect(program.signature.outputs.g.shape).toEqual([4, 2]);
    const into = { g: new Float32Array(8).fill(-9) };
    const feeds = { table: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), ids: BigInt64Array.of(3n, 1n, 3n) };
    for (let run = 0; run < 2; run++) {
      await program.run(feeds, into);
      expect([...into.g]).toEqual([0, 0, 6, 8, 0, 0, 28, 32]);
    }
  });

  it('computes a repeated subexpression once', async () => {
    const twice = add(tanh(mul(x, 3)), tanh(mul(x, 3)));
    using once = await engine.compile({ y: tanh(mul(x, 3)) });
    using both = await engine.compile({ y: twice });
    expect(both.nodes).toBe(once.nodes + 1);
  });

  it('is deterministic to the bit', async () => {
    const w = input('w', [3, 64]);
    using program = await engine.compile({ y: sum(tanh(matmul(x, w))) });
    const feeds = {
      x: Float32Array.of(1, 2, 3, 4, 5, 6),
      w: Float32Array.from({ length: 192 }, (_, i) => Math.sin(i)),
    };
    const first = (await program.run(feeds)).y;
    for (let i = 0; i < 20; i++) expect((await program.run(feeds)).y).toEqual(first);
  });
});

describe('errors', () => {
  const y = mul(x, 2);
  it.each<[string, Record<string, Float32Array | BigInt64Array>, string]>([
    ['missing', {}, 'Input x [2, 3] was not fed.'],
    ['unknown', { z: new Float32Array(6) }, 'The program has no input z; it has x.'],
    ['size', { x: new Float32Array(5) }, 'Input x needs 6 float32 numbers for shape [2, 3]; got 5 in a Float32Array.'],
    [
      'type',
      { x: new BigInt64Array(6) },
      'Input x needs 6 float32 numbers for shape [2, 3]; got 6 in a BigInt64Array.',
    ],
  ])('%s feed', async (_, feeds, message) => {
    using program = await cpu.compile({ y });
    await expect(program.run(feeds)).rejects.toThrow(message);
  });

  it('two inputs of one name and different shapes', async () => {
    await expect(cpu.compile({ y: add(sum(x), sum(input('x', [4]))) })).rejects.toThrow(
      'Two different inputs are named x.',
    );
  });
});

describe('ProgramCache', () => {
  it('compiles each size once', async () => {
    let built = 0;
    using cache = new ProgramCache(cpu, (batch) => {
      built++;
      return { y: sum(input('x', [batch])) };
    });
    const three = await cache.get(3);
    expect(await cache.get(3)).toBe(three);
    expect((await (await cache.get(2)).run({ x: Float32Array.of(1, 2) })).y[0]).toBe(3);
    expect(built).toBe(2);
  });
});

/** One leaked activation a run would be 40 MB over 500 runs; a page of the allocator here and there is none. */
const ALLOWED_GROWTH_BYTES = 8e6;
/** The collector may let garbage pile up in one stretch, but a leak shows in every one. */
const STRETCHES = 4;

it('does not grow over 500 steps', async () => {
  const w: Tensor = input('w', [256, 256]);
  const loss = sum(tanh(matmul(tanh(matmul(input('x', [80, 256]), w)), w)));
  using program = await cpu.compile({ loss, g: grad(loss, [w])[0] });
  const feeds = { x: new Float32Array(80 * 256).fill(0.1), w: new Float32Array(65536).fill(0.01) };
  const into = { loss: new Float32Array(1), g: new Float32Array(65536) };
  const growth: number[] = [];
  for (let stretch = 0; stretch < STRETCHES; stretch++) {
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 500; i++) await program.run(feeds, into);
    growth.push(process.memoryUsage.rss() - before);
  }
  expect(Math.min(...growth)).toBeLessThan(ALLOWED_GROWTH_BYTES);
});

it('what the runtime answers with is given back at once where the result is wanted elsewhere', async () => {
  const N = 2 ** 20;
  const long = input('x', [N]);
  const names = Array.from({ length: 8 }, (_, i) => `y${i}`);
  using program = await cpu.compile(Object.fromEntries(names.map((name, i) => [name, mul(long, i)])));
  const into = Object.fromEntries(names.map((name) => [name, new Float32Array(N)]));
  const feeds = { x: new Float32Array(N) };
  await program.run(feeds, into);
  const before = process.memoryUsage().arrayBuffers;
  // 32 MB a run: the collector has not met them when the last one ends.
  let most = 0;
  for (let i = 0; i < 6; i++) {
    await program.run(feeds, into);
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  expect(most).toBeLessThan(HELD_BYTES);
});

/** Of what a run answered with, none: half of one run's results is far from any bookkeeping. */
const HELD_BYTES = 16e6;

describe('weights of 8 bits', () => {
  const [rows, inputs, outputs] = [5, 96, 64];
  const numbers = (seed: number, n: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(seed + i * 1.7));
  const W = numbers(1, outputs * inputs).map((w, i) => w * (1 + (Math.floor(i / inputs) % 7)));
  const bias = numbers(2, outputs);
  const z = input('z', [rows, inputs]);
  const feeds = { z: numbers(3, rows * inputs) };
  /** Half a step of a hundred and twenty-seventh in each factor, of sums of some hundred products. */
  const ROUNDING = 2e-2;
  const largest = (values: Float32Array) => values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);

  it.each(Object.entries(ENGINES))(
    '%s: products are nearly what they were, with and without a bias',
    async (_, engine) => {
      const w = weight(W, [outputs, inputs]);
      const graph = { alone: linear(z, w), biased: linear(z, w, weight(bias, [outputs])) };
      using exact = await engine.compile(graph, { weights: 'packed' });
      using rounded = await engine.compile(graph, { weights: 'int8' });
      const [wanted, got] = [await exact.run(feeds), await rounded.run(feeds)];
      for (const name of ['alone', 'biased']) {
        const gap = wanted[name].reduce((most, v, i) => Math.max(most, Math.abs(v - got[name][i])), 0);
        expect(gap / largest(wanted[name])).toBeLessThan(ROUNDING);
        expect(gap).toBeGreaterThan(0);
      }
    },
  );

  it('a matrix that is used otherwise too stays as it is, as does a small one', async () => {
    const [w, small] = [weight(W, [outputs, inputs]), weight(W.subarray(0, 2 * inputs), [2, inputs])];
    const graph = { product: linear(z, w), sum: sum(w), small: linear(z, small) };
    using exact = await cpu.compile(graph, { weights: 'packed' });
    using rounded = await cpu.compile(graph, { weights: 'int8' });
    expect(await rounded.run(feeds)).toEqual(await exact.run(feeds));
  });

  it('weights that are read when they are needed are as good as those that are there', async () => {
    let reads = 0;
    const lazy = lazily([outputs, inputs], () => {
      reads++;
      return W;
    });
    using eager = await cpu.compile({ y: linear(z, weight(W, [outputs, inputs])) }, { weights: 'int8' });
    const { w } = freeze({ w: lazy });
    expect(reads).toBe(0);
    using late = await cpu.compile({ y: linear(z, w) }, { weights: 'int8' });
    expect(reads).toBe(1);
    expect(await late.run(feeds)).toEqual(await eager.run(feeds));
    expect(reads).toBe(1);
  });

  it('generated WebAssembly has none', async () => {
    await expect(wasm.compile({ y: linear(z, weight(W, [outputs, inputs])) }, { weights: 'int8' })).rejects.toThrow(
      "Products of 8 bits are ONNX Runtime's",
    );
  });
});
