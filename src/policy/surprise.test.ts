import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quantilesOf, rankIn } from './surprise.ts';

const numbers = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 2, maxLength: 300 });

test('quantiles ascend from the least to the largest', () => {
  fc.assert(
    fc.property(numbers, (values) => {
      const quantiles = quantilesOf(values);
      expect(quantiles).toHaveLength(101);
      // Zeros of either sign are equal.
      expect(quantiles[0] === Math.min(...values) && quantiles[100] === Math.max(...values)).toBe(true);
      for (let i = 1; i < quantiles.length; i++) expect(quantiles[i]).toBeGreaterThanOrEqual(quantiles[i - 1]);
    }),
  );
  expect(quantilesOf(Array.from({ length: 201 }, (_, i) => 200 - i)).slice(0, 3)).toEqual([0, 2, 4]);
});

test('a rank is within [0, 1], ascends, and undoes the quantile', () => {
  fc.assert(
    fc.property(numbers, fc.double({ min: -2e3, max: 2e3, noNaN: true }), fc.nat(100), (values, x, i) => {
      const quantiles = quantilesOf(values);
      const rank = rankIn(quantiles, x);
      expect(rank).toBeGreaterThanOrEqual(0);
      expect(rank).toBeLessThanOrEqual(1);
      expect(rankIn(quantiles, x + 1)).toBeGreaterThanOrEqual(rank);
      const run = quantiles.flatMap((q, j) => (q === quantiles[i] ? [j] : []));
      expect(rankIn(quantiles, quantiles[i])).toBeCloseTo((run[0] + run.at(-1)!) / 200, 9);
    }),
  );
  expect([-1, 0, 5, 10, 25].map((x) => rankIn([0, 10, 20], x))).toEqual([0, 0, 0.25, 0.5, 1]);
});
