import fc from 'fast-check';
import { expect, test } from 'vitest';
import { difference, mean, rate, wilson } from './interval.ts';

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

test('the mean of normal numbers is within its interval, which nothing and one number do not have', () => {
  const found = mean([1, 2, 3, 4]);
  // Standard error: sqrt(5 / 3 / 4); 1.96 of them on either side.
  expect(found).toMatchObject({ mean: 2.5, n: 4 });
  expect(found.interval![1] - 2.5).toBeCloseTo(1.959964 * Math.sqrt(5 / 12), 6);
  expect(2.5 - found.interval![0]).toBeCloseTo(1.959964 * Math.sqrt(5 / 12), 6);
  expect(mean([7])).toEqual({ mean: 7, interval: null, n: 1 });
  expect(mean([])).toEqual({ mean: null, interval: null, n: 0 });
});

test('a difference holds zero for equal rates and mirrors when they change places', () => {
  const [a, b] = [rate(9, 10), rate(5, 10)];
  expect(difference(a, a).interval[0]).toBeLessThan(0);
  expect(difference(a, b).rate).toBeCloseTo(0.4, 12);
  expect(difference(b, a).interval[0]).toBeCloseTo(-difference(a, b).interval[1], 12);
});
