import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { expect, test } from 'vitest';
import { blueprint, flowerSchema, sample } from '../decoders/flower/index.ts';
import { sessionOptions } from '../engine/onnxruntime.ts';
import { loadRuntime } from '../engine/onnxruntime-node.ts';
import { key } from '../random.ts';
import { add, constant, exp, freeze, input, layoutOf, linear, materialise, mul } from '../tensor/index.ts';
import { emit } from '../tensor/onnx/emit.ts';
import { weightsOf } from './weights.ts';

const zeros = (...shape: number[]) => constant(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);

test('a weight counts each time it is used, and what follows from weights alone is one', () => {
  const x = input('x', [1, 3]);
  const square = mul(exp(zeros(3, 3)), 2); // 9 numbers when folded
  const y = linear(linear(x, square), square);
  expect(weightsOf([add(y, zeros(3))])).toEqual({ residentBytes: 4 * (9 + 3), readBytes: 4 * (9 + 9 + 3) });
});

test('a diffusion decoder reads what its steps share once per step', () => {
  const weights = (num_sampling_steps: number) => {
    const config = flowerSchema.parse({ dit_dim: 32, n_heads: 2, n_layers: 2, num_sampling_steps });
    const params = freeze(materialise(blueprint(key(0), config, 16)));
    return weightsOf([sample(config, params, input('z', [1, 10, 7]), input('features', [1, 3, 16]))]);
  };
  const [two, three, four] = [2, 3, 4].map((n) => weights(n).readBytes) as [number, number, number];
  const step = three - two;
  expect(four - three).toBe(step);
  // The rest is the encoder's projections, read once.
  expect(two).toBeGreaterThan(2 * step);
});

/** Of the bytes that the engine keeps: names, shapes and small integers are not weights. */
const BESIDE_WEIGHTS = 0.05;

test('the engine keeps what is counted: what depends on constant times is folded when it loads', async () => {
  const config = flowerSchema.parse({ dit_dim: 128, n_heads: 2, n_layers: 2 });
  const params = freeze(materialise(blueprint(key(0), config, 128)));
  const actions = sample(config, params, input('z', [1, 10, 7]), input('features', [1, 3, 128]));
  const emitted = emit({ actions }, { weights: 'packed' });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nina-weights-'));
  const optimizedModelFilePath = path.join(folder, 'loaded.onnx');
  const ort = await loadRuntime();
  const session = await ort.InferenceSession.create(emitted.model, {
    ...sessionOptions(emitted, 'cpu', 1),
    optimizedModelFilePath,
  });
  await session.release();
  const kept = fs.statSync(optimizedModelFilePath).size;
  fs.rmSync(folder, { recursive: true });
  const { residentBytes } = weightsOf([actions]);
  expect(kept).toBeGreaterThan(residentBytes);
  expect(kept).toBeLessThan(residentBytes * (1 + BESIDE_WEIGHTS));
  // Otherwise the test would pass if nothing were folded.
  expect(layoutOf(params).size * Float32Array.BYTES_PER_ELEMENT).toBeGreaterThan(1.2 * kept);
});

/** Sizes in shapes and small tables take a few bytes more when they are larger. */
const GROWTH = 1.05;

test.each(['shared', 'packed'] as const)(
  'no program grows with its model: %s weights are not in its bytes',
  (weights) => {
    const bytes = (dit_dim: number) => {
      const config = flowerSchema.parse({ dit_dim, n_heads: dit_dim / 32, n_layers: 2 });
      const params = freeze(materialise(blueprint(key(0), config, 128)));
      const actions = sample(config, params, input('z', [1, 10, 7]), input('features', [1, 3, 128]));
      return emit({ actions }, { weights }).model.length;
    };
    expect(bytes(256)).toBeLessThan(GROWTH * bytes(64));
  },
);
