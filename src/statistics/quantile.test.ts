import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ascending, median, quantile } from './quantile.ts';

test('quantiles interpolate', () => {
  expect(quantile(ascending([4, 1, 3, 2]), 0.5)).toBe(2.5);
  expect(quantile([1, 2, 3, 4, 5], 0.95)).toBeCloseTo(4.8, 12);
  expect(quantile([], 0.5)).toBeNaN();
  expect(median([9, 7, 8])).toBe(8);
});

test('quantiles are between the extremes, ascend with q, and leave the values as they were', () => {
  // Whole numbers, whose differences are exact.
  const whole = fc.integer({ min: -1e6, max: 1e6 });
  fc.assert(
    fc.property(fc.array(whole, { minLength: 1 }), fc.double({ min: 0, max: 1, noNaN: true }), (values, q) => {
      const copy = [...values];
      const sorted = ascending(values);
      expect(values).toEqual(copy);
      expect(quantile(sorted, 0)).toBe(sorted[0]);
      expect(quantile(sorted, 1)).toBe(sorted.at(-1));
      expect(quantile(sorted, q)).toBeGreaterThanOrEqual(quantile(sorted, q / 2));
    }),
  );
});
