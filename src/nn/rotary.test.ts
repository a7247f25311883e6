import { expect, test } from 'vitest';
import { cpu } from '../engine/index.ts';
import { key, normals } from '../random.ts';
import { constant, type Tensor } from '../tensor/index.ts';
import { rmsNorm, rotary, swiglu, swigluHidden } from './index.ts';

/** Sums of a few float32 products. */
const TOLERANCE = 1e-5;

async function value(y: Tensor): Promise<Float32Array> {
  using program = await cpu.compile({ y });
  return (await program.run({})).y;
}

function close(actual: Float32Array, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((v, i) => {
    expect(Math.abs(v - expected[i])).toBeLessThan(TOLERANCE);
  });
}

test('rotary: pairs (j, j + half) turn by position * theta^(-2j / depth)', async () => {
  const [S, depth, theta] = [3, 4, 32];
  const x = normals(key(1), 2 * S * depth);
  const expected = x.slice();
  for (let row = 0; row < 2 * S; row++)
    for (const j of [0, 1]) {
      const angle = (row % S) * theta ** (-j / 2);
      const [a, b] = [x[row * depth + j], x[row * depth + j + 2]];
      expected[row * depth + j] = a * Math.cos(angle) - b * Math.sin(angle);
      expected[row * depth + j + 2] = a * Math.sin(angle) + b * Math.cos(angle);
    }
  close(await value(rotary(constant(x, [2, S, depth]), theta)), expected);
});

test('rotary: a dot product of turned vectors knows their distance alone', async () => {
  const [q, k] = [normals(key(2), 6), normals(key(3), 6)];
  const everywhere = (v: Float32Array) => constant(Array.from({ length: 5 }, () => [...v]).flat(), [5, 6]);
  const [turnedQ, turnedK] = [await value(rotary(everywhere(q), 32)), await value(rotary(everywhere(k), 32))];
  const dot = (i: number, j: number) =>
    turnedQ.subarray(6 * i, 6 * i + 6).reduce((sum, v, n) => sum + v * turnedK[6 * j + n], 0);
  expect(dot(4, 3)).toBeCloseTo(dot(1, 0), 4);
  expect(dot(4, 2)).toBeCloseTo(dot(2, 0), 4);
  expect(Math.abs(dot(4, 2) - dot(4, 3))).toBeGreaterThan(1e-2);
});

test('rotary: an odd depth is refused', () => {
  expect(() => rotary(constant([1, 2, 3], [1, 3]), 32)).toThrow('it needs an even depth; got 3.');
});

test('rmsNorm divides by the root of the mean square', async () => {
  const weight = constant([1, 2], [2]);
  close(await value(rmsNorm({ weight }, constant([3, 4, 0, 0], [2, 2]))), [
    3 / Math.sqrt(12.5),
    8 / Math.sqrt(12.5),
    0,
    0,
  ]);
  close(await value(rmsNorm({ weight }, constant([3, 4], [1, 2]), 12.5)), [3 / 5, 8 / 5]);
});

test('swiglu: proj(silu(fc1 x) * fc2 x)', async () => {
  const p = {
    fc1: { weight: constant([1, 0, 0, 1, 1, 1], [3, 2]) },
    fc2: { weight: constant([2, 0, 0, 3, 1, -1], [3, 2]) },
    proj: { weight: constant([1, 1, 1, 1, -1, 2], [2, 3]) },
  };
  const silu = (x: number) => x / (1 + Math.exp(-x));
  const [a, b] = [0.5, -1.5];
  const hidden = [silu(a) * 2 * a, silu(b) * 3 * b, silu(a + b) * (a - b)] as const;
  const expected = [hidden[0] + hidden[1] + hidden[2], hidden[0] - hidden[1] + 2 * hidden[2]];
  close(await value(swiglu(p, constant([a, b], [1, 2]))), expected);
});

test('swiglu: the hidden width of 1024 is 2816, of 256 is 768', () => {
  expect([1024, 256, 32].map(swigluHidden)).toEqual([2816, 768, 256]);
});
