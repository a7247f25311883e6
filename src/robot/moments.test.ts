import { expect, test } from 'vitest';
import { momentsOf } from './moments.ts';

test('mean, spread, range and quantiles per dimension, over all tables', () => {
  // Dimension 0 counts 0..100, dimension 1 is 1000 everywhere.
  const rows = Array.from({ length: 101 }, (_, i) => [100 - i, 1000]);
  const s = momentsOf(
    [Float32Array.from(rows.slice(0, 40).flat()), Float32Array.from(rows.slice(40).flat())],
    ['x', 'y'],
  );
  expect(s.names).toEqual(['x', 'y']);
  expect(s.count).toBe(101);
  expect(s.mean).toEqual([50, 1000]);
  // The population variance of 0..n is n (n + 2) / 12.
  expect(s.std[0]).toBeCloseTo(Math.sqrt((100 * 102) / 12), 12);
  expect(s.std[1]).toBe(0);
  expect(s.min).toEqual([0, 1000]);
  expect(s.max).toEqual([100, 1000]);
  expect(s.q01).toEqual([1, 1000]);
  expect(s.q99).toEqual([99, 1000]);
});

test('refuses nothing, and tables that do not divide into rows', () => {
  expect(() => momentsOf([], ['x'])).toThrow(/at least one row/);
  expect(() => momentsOf([new Float32Array(3)], ['x', 'y'])).toThrow(/3 numbers .* rows of 2/);
});
