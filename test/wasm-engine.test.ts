/**
 * Whole policies on the WebAssembly engine: the graphs of encoders and decoders as trained against ONNX Runtime, the same
 * bits wherever they run, in a browser's bundle too.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as vm from 'node:vm';
import { build } from 'vite';
import { describe, expect, test } from 'vitest';
import * as flower from '../src/decoders/flower/index.ts';
import { flowerSchema } from '../src/decoders/flower/index.ts';
import * as nina from '../src/decoders/nina/index.ts';
import * as regression from '../src/decoders/regression/index.ts';
import { stateConfigSchema, stateEncoder } from '../src/encoders/state/index.ts';
import { cpu, type Feed, type Program, wasm } from '../src/engine/index.ts';
import { noDropout } from '../src/nn/index.ts';
import { key } from '../src/random.ts';
import { freeze, input, mapTree, type Shape, type Tensor, weight } from '../src/tensor/index.ts';
import { randomModel } from './support/nina.ts';

/** Numbers from -1 to 1 of a name, by whole-number arithmetic alone: they must be the same bits everywhere. */
function numbers(name: string, n: number): Float32Array {
  let seed = 2166136261;
  for (const letter of name) seed = Math.imul(seed ^ letter.charCodeAt(0), 16777619);
  return Float32Array.from({ length: n }, () => {
    seed = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) + 0x6d2b79f5;
    return ((seed >>> 8) - 2 ** 23) / 2 ** 23;
  });
}

const size = (shape: Shape) => shape.reduce((a, b) => a * b, 1);

/** Parameters of a tree's shapes, none of them trivial and of the size that keeps activations of order 1. */
const weights = (tree: unknown) =>
  mapTree(tree, ({ shape }: { shape: Shape }, name) => {
    const scale = shape.length > 1 ? Math.sqrt(3 / (shape.at(-1) as number)) : 0.2;
    const middle = /norm\w*\.weight$/.test(name) ? 1 : 0;
    return weight(
      numbers(name, size(shape)).map((v) => middle + scale * v),
      shape,
    );
  }) as never;

/** Numbers for every input of a program. */
function feedsOf({ signature }: Program): Record<string, Feed> {
  return Object.fromEntries(
    Object.entries(signature.inputs).map(([name, { shape, dtype }]) => {
      const n = size(shape);
      if (dtype === 'int64') return [name, BigInt64Array.from({ length: n }, (_, i) => BigInt((5 * i) % 17))];
      // The last entity and the last words are absent.
      if (/present|spoken/.test(name)) return [name, Float32Array.from({ length: n }, (_, i) => +(i % 5 < 4))];
      return [name, numbers(name, n)];
    }),
  );
}

const CONFIG = stateConfigSchema.parse({
  name: 'state',
  words: Array.from({ length: 17 }, (_, i) => `word${i}`),
  max_words: 7,
  max_entities: 6,
  state_size: 11,
  end_effector: 0,
});

const encoder = (B: number): Record<string, Tensor> => {
  const p = weights(stateEncoder.blueprint(key(1), CONFIG));
  return { tokens: stateEncoder.encode(CONFIG, p, stateEncoder.inputs(CONFIG, B), noDropout).tokens };
};

function flowerSampler(B: number): Record<string, Tensor> {
  const config = flowerSchema.parse({ dit_dim: 64, n_layers: 4, n_heads: 4, dropout: 0 });
  const p = weights(flower.blueprint(key(1), config, 48));
  return { actions: flower.sample(config, p, input('z', [B, 10, 7]), input('features', [B, 3, 48])) };
}

function regressor(B: number): Record<string, Tensor> {
  const config = regression.regressionSchema.parse({ hidden_dim: 40 });
  return {
    actions: regression.predict(config, weights(regression.blueprint(key(1), config)), input('cond', [B, 256])),
  };
}

const flow =
  (backbone: 'mlp' | 'trans') =>
  (B: number): Record<string, Tensor> => {
    const sizes = { n_layers: 6, affine_dim: 24, n_heads: 2, block_depth: 2, cond_dim: 20, dropout: 0 };
    const config = nina.ninaSchema.parse({ backbone, ...sizes });
    const model = randomModel(config, 3);
    const inverses = nina.pluInverse(config, model);
    const p = freeze(model.params);
    const [chunk, cond] = [input('chunk', [B, 10, 7]), input('cond', [B, 20])];
    const derived = inverses && weight(inverses.data, inverses.shape);
    const [actions, logProb] = nina.sampleAndLogProb(config, model.buffers, p, chunk, cond, derived);
    return { actions, logProb, scored: nina.logProb(config, model.buffers, p, chunk, cond) };
  };

const GRAPHS = { encoder, flower: flowerSampler, regression: regressor, mlp: flow('mlp'), trans: flow('trans') };

/** Of the largest number of a result: sums of some hundred numbers in another order, layer after layer. */
const TOLERANCE = 1e-5;

describe.each(Object.entries(GRAPHS))('%s', (_, graph) => {
  test.each([1, 3])('agrees with ONNX Runtime for a batch of %i', async (B) => {
    const outputs = graph(B);
    using ours = await wasm.compile(outputs);
    using reference = await cpu.compile(outputs);
    const feeds = feedsOf(ours);
    const [answer, wanted] = [await ours.run(feeds), await reference.run(feeds)];
    for (const [name, numbers] of Object.entries(wanted)) {
      const largest = Math.max(...numbers.map(Math.abs));
      expect(largest).toBeGreaterThan(0.05);
      numbers.forEach((v, i) => {
        expect(Math.abs(answer[name][i] - v) / largest, `${name}[${i}]`).toBeLessThan(TOLERANCE);
      });
    }
    expect(await ours.run(feeds)).toEqual(answer);
  });
});

describe('the same bits everywhere', () => {
  // The graph's own numbers are whole or square roots, so nothing in it depends on a machine's mathematics.
  test('of an encoder', async () => {
    using program = await wasm.compile(encoder(2));
    const { tokens } = await program.run(feedsOf(program));
    expect(createHash('sha256').update(new Uint8Array(tokens.buffer)).digest('hex')).toBe(
      'd126eac101bef6f16925ed9aac979e336ed52bcf4004a15f7c9ef34c169f655a',
    );
  });

  test('where there is only the language: a bundle without Node, without an engine', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bundle-'));
    const src = path.join(path.dirname(import.meta.dirname), 'src');
    const entry = path.join(folder, 'entry.js');
    fs.writeFileSync(
      entry,
      `export { wasm } from '${src}/engine/wasm.ts';\nexport { constant, erf, input, layerNorm, linear, log, sin, softmax } from '${src}/tensor/index.ts';\n`,
    );
    const lib = { entry, formats: ['iife' as const], name: 'Bundle' };
    const built = await build({ root: folder, configFile: false, logLevel: 'error', build: { write: false, lib } });
    fs.rmSync(folder, { recursive: true });
    const { output } = (Array.isArray(built) ? built[0] : built) as Exclude<
      typeof built,
      unknown[] | { close(): unknown }
    >;
    const [{ code }] = output;
    expect(code).not.toMatch(/["'`]node:|__vite-browser-external|\brequire\(|onnxruntime/);

    const script = `async ({ wasm, constant, erf, input, layerNorm, linear, log, sin, softmax }) => {
      const x = input('x', [3, 5]);
      const w = constant(Array.from({ length: 20 }, (_, i) => (i % 7) / 4 - 0.8), [4, 5]);
      const y = softmax(linear(sin(layerNorm(erf(x))), w));
      const program = await wasm.compile({ y: log(y) });
      const { y: result } = await program.run({ x: Float32Array.from({ length: 15 }, (_, i) => (i * i) / 9 - 10) });
      return [...new Uint32Array(result.buffer)].join();
    }`;
    const context = vm.createContext({ TextEncoder });
    vm.runInContext(code, context);
    expect(vm.runInContext('[typeof process, typeof require, typeof Buffer]', context).join()).toBe(
      'undefined,undefined,undefined',
    );
    const there = await vm.runInContext(`(${script})(Bundle)`, context);
    const here = await vm.runInThisContext(`(${script})`)({ wasm, ...(await import('../src/tensor/index.ts')) });
    expect(there).toBe(here);
    expect(there.split(',').length).toBe(12);
  });
});
