import fc from 'fast-check';
import { expect, test } from 'vitest';
import { percentile, wilson } from './wilson.ts';

// Newcombe, Statistics in Medicine 17 (1998), table I, method 3; four digits are given there.
test.each([
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
])('wilson(%i, %i)', (successes, n, low, high) => {
  const interval = wilson(successes, n);
  expect(interval[0]).toBeCloseTo(low, 4);
  expect(interval[1]).toBeCloseTo(high, 4);
});

test('an interval holds the rate, narrows with n, and mirrors', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, share) => {
      const k = Math.round(share * n);
      const [low, high] = wilson(k, n);
      expect(low).toBeLessThanOrEqual(k / n);
      expect(high).toBeGreaterThanOrEqual(k / n);
      const [mirrorLow, mirrorHigh] = wilson(n - k, n);
      expect(low).toBeCloseTo(1 - mirrorHigh, 12);
      expect(high).toBeCloseTo(1 - mirrorLow, 12);
      const [low4, high4] = wilson(4 * k, 4 * n);
      expect(high4 - low4).toBeLessThan(high - low);
    }),
  );
  expect(wilson(0, 0)).toEqual([0, 1]);
});

test('percentiles interpolate', () => {
  expect(percentile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(percentile([1, 2, 3, 4, 5], 0.95)).toBeCloseTo(4.8, 12);
  expect(percentile([], 0.5)).toBeNaN();
});
