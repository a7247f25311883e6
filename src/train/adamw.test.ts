import { expect, test } from 'vitest';
import { key, normals } from '../random.ts';
import { fill, initialState, openOptimizer, optimizerMemory } from './optimizer.ts';

const settings = { learningRate: 0.1, beta1: 0.9, beta2: 0.95, weightDecay: 0.05, emaDecay: 0.5 };
const group = { decay: false, frozen: false, rate: 1 };

/** An optimizer of one thread that starts from these parameters. */
async function optimizer(params: Float32Array, shards = 1) {
  const memory = await optimizerMemory(params.length, shards);
  fill(memory, initialState(params));
  return openOptimizer(memory);
}

test('two steps match the update computed by hand in float64, in vectors and in what is left of them', async () => {
  // 11 numbers with a border inside a vector: two vectors, and single numbers at the end of each group.
  const start = normals(key(1), 11);
  const decays = (i: number) => i < 6;
  const groups = [
    { ...group, start: 0, end: 6, decay: true },
    { ...group, start: 6, end: 11 },
  ];
  const { state, gradients, update } = await optimizer(start);
  let w = [...start];
  let m = w.map(() => 0);
  let v = w.map(() => 0);
  let ema = [...start];
  for (const step of [0, 1]) {
    const g = normals(key(10 + step), 11);
    gradients[0].set(g);
    update(0, step, groups, settings);
    m = m.map((x, i) => 0.9 * x + 0.1 * g[i]);
    v = v.map((x, i) => 0.95 * x + 0.05 * g[i] ** 2);
    const mHat = m.map((x) => x / (1 - 0.9 ** (step + 1)));
    const vHat = v.map((x) => x / (1 - 0.95 ** (step + 1)));
    w = w.map((x, i) => x * (decays(i) ? 1 - 0.1 * 0.05 : 1) - (0.1 * mHat[i]) / (Math.sqrt(vHat[i]) + 1e-8));
    ema = ema.map((x, i) => 0.5 * x + 0.5 * w[i]);
  }
  // float32 storage and arithmetic of values around 1
  for (const [i, value] of w.entries()) expect(state.params[i]).toBeCloseTo(value, 6);
  for (const [i, value] of ema.entries()) expect(state.ema[i]).toBeCloseTo(value, 6);
});

test('what is frozen stays, a rate scales the step', async () => {
  const { state, gradients, update } = await optimizer(new Float32Array(3));
  gradients[0].fill(1);
  const groups = [0, 1, 2].map((i) => ({ ...group, start: i, end: i + 1, frozen: i === 0, rate: i === 2 ? 0.25 : 1 }));
  update(0, 0, groups, settings);
  expect(state.params[0]).toBe(0);
  expect(state.params[1]).toBeCloseTo(-0.1, 6);
  expect(state.params[2]).toBeCloseTo(-0.025, 6);
  expect(state.m[0]).toBe(0);
});

test('a quadratic bowl is descended', async () => {
  const target = normals(key(1), 100);
  const { state, gradients, update } = await optimizer(new Float32Array(100));
  const slope = () => state.params.map((w, i) => w - target[i]);
  for (let step = 0; step < 400; step++) {
    gradients[0].set(slope());
    update(0, step, [{ ...group, start: 0, end: 100 }], { ...settings, learningRate: 0.02 });
  }
  expect(Math.hypot(...slope())).toBeLessThan(0.05);
});

test.each([1, 2, 3])('the weighted sum of %i gradients and its squares, segment by segment', async (shards) => {
  const size = 100;
  const weights = [0.5, 0.25, 0.125].slice(0, shards);
  const parts = weights.map((_, s) => normals(key(s), size));
  const { gradients, merge } = await optimizer(new Float32Array(size), shards);
  for (const [s, part] of parts.entries()) gradients[s].set(part);
  const squares = weights.map((_, segment) => merge(segment, weights));
  const wanted = Array.from({ length: size }, (_, i) => parts.reduce((sum, part, s) => sum + weights[s] * part[i], 0));
  // float32 sums of up to three numbers around 1
  for (const [i, value] of wanted.entries()) expect(gradients[0][i]).toBeCloseTo(value, 6);
  const sum = wanted.reduce((total, g) => total + g * g, 0);
  // a hundred squares in float64 of numbers rounded to float32
  expect(squares.reduce((a, b) => a + b, 0)).toBeCloseTo(sum, 4);
});

test('NaN and Infinity show in the squares', async () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const { gradients, merge } = await optimizer(new Float32Array(40), 1);
    gradients[0][33] = bad;
    expect(Number.isFinite(merge(0, [1]))).toBe(false);
  }
});

test('more parameters than one memory holds are refused before anything is allocated', async () => {
  await expect(optimizerMemory(200e6, 2)).rejects.toThrow(/^Training 200000000 parameters takes 4800000128 bytes /);
});
