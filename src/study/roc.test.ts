import fc from 'fast-check';
import { expect, test } from 'vitest';
import { key } from '../random.ts';
import { areaOver, auroc } from './roc.ts';

const values = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 30 });

test('the area is the share of pairs in the right order, ties counting half', () => {
  fc.assert(
    fc.property(values, values, (positive, negative) => {
      const pairs = positive.flatMap((p) => negative.map((n) => (p > n ? 1 : p === n ? 0.5 : 0)));
      const share = pairs.reduce((a: number, b) => a + b, 0) / pairs.length;
      expect(auroc(positive, negative)).toBeCloseTo(share, 12);
      expect(auroc(negative, positive)).toBeCloseTo(1 - share, 12);
      // Only the order counts.
      const stretch = (x: number) => Math.exp(x / 5);
      expect(auroc(positive.map(stretch), negative.map(stretch))).toBeCloseTo(share, 12);
    }),
  );
  expect(auroc([1, 2], [-1, 0])).toBe(1);
  expect(auroc([], [1])).toBeNaN();
});

test('the interval holds the area, narrows with episodes, and says that nothing is known of nothing', () => {
  const pairs = (n: number) => Array.from({ length: n }, (_, i) => ({ positive: [i % 7], negative: [(i * 3) % 5] }));
  const [few, many] = [areaOver(pairs(20), key(1)), areaOver(pairs(500), key(1))];
  for (const { auroc, interval, n } of [few, many]) {
    expect(interval![0]).toBeLessThan(auroc!);
    expect(interval![1]).toBeGreaterThan(auroc!);
    expect([20, 500]).toContain(n);
  }
  expect(many.interval![1] - many.interval![0]).toBeLessThan(few.interval![1] - few.interval![0]);
  expect(areaOver(pairs(20), key(1))).toEqual(few);
  expect(areaOver([], key(1))).toEqual({ auroc: null, interval: null, n: 0 });
});
