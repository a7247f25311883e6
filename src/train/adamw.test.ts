import { expect, test } from 'vitest';
import { key, normals } from '../random.ts';
import { adamwUpdate, decayGroups, norm, optimizerState } from './adamw.ts';

const settings = { learningRate: 0.1, beta1: 0.9, beta2: 0.95, weightDecay: 0.05, emaDecay: 0.5 };

test('two steps match the update computed by hand in float64', () => {
  const state = optimizerState(Float32Array.of(1, -2));
  const groups = [
    { start: 0, end: 1, decays: true },
    { start: 1, end: 2, decays: false },
  ];
  let w = [1, -2];
  let m = [0, 0];
  let v = [0, 0];
  let ema = [1, -2];
  const gradients = [
    [0.5, -3],
    [-1, 0.25],
  ];
  for (const [step, g] of gradients.entries()) {
    adamwUpdate(state, Float32Array.from(g), groups, step, settings);
    m = m.map((x, i) => 0.9 * x + 0.1 * g[i]);
    v = v.map((x, i) => 0.95 * x + 0.05 * g[i] ** 2);
    const mHat = m.map((x) => x / (1 - 0.9 ** (step + 1)));
    const vHat = v.map((x) => x / (1 - 0.95 ** (step + 1)));
    w = w.map((x, i) => x * (i === 0 ? 1 - 0.1 * 0.05 : 1) - (0.1 * mHat[i]) / (Math.sqrt(vHat[i]) + 1e-8));
    ema = ema.map((x, i) => 0.5 * x + 0.5 * w[i]);
  }
  // float32 storage of four values around 1
  for (const [i, value] of w.entries()) expect(state.params[i]).toBeCloseTo(value, 6);
  for (const [i, value] of ema.entries()) expect(state.ema[i]).toBeCloseTo(value, 6);
});

test('a quadratic bowl is descended', () => {
  const target = normals(key(1), 100);
  const state = optimizerState(new Float32Array(100));
  const groups = [{ start: 0, end: 100, decays: false }];
  for (let step = 0; step < 400; step++)
    adamwUpdate(
      state,
      state.params.map((w, i) => w - target[i]),
      groups,
      step,
      { ...settings, learningRate: 0.02 },
    );
  expect(norm(state.params.map((w, i) => w - target[i]))).toBeLessThan(0.05);
});

test('matrices decay; biases, norms and the diagonal s do not; neighbours merge', () => {
  const groups = decayGroups([
    { path: 'a.weight', shape: [2, 2], offset: 0, size: 4 },
    { path: 'b.weight', shape: [2, 3], offset: 4, size: 6 },
    { path: 'a.bias', shape: [2], offset: 10, size: 2 },
    { path: 'norm.weight', shape: [2], offset: 12, size: 2 },
    { path: 'stack.norm.weight', shape: [3, 1, 2], offset: 14, size: 6 },
    { path: 'plu.s', shape: [3, 2], offset: 20, size: 6 },
    { path: 'plu.U', shape: [2, 2], offset: 26, size: 4 },
  ]);
  expect(groups).toEqual([
    { start: 0, end: 10, decays: true },
    { start: 10, end: 26, decays: false },
    { start: 26, end: 30, decays: true },
  ]);
});

test('the norm is exact on odd lengths and shows NaN', () => {
  expect(norm(Float32Array.of(2, 3, 6))).toBe(7);
  expect(norm(Float32Array.of(1, Number.NaN, 1))).toBeNaN();
});
