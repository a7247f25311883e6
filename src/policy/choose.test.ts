import fc from 'fast-check';
import { expect, test } from 'vitest';
import { choose } from './choose.ts';

/** K chunks of two steps of one number. */
const chunks = fc
  .integer({ min: 1, max: 20 })
  .chain((K) =>
    fc.tuple(
      fc.float32Array({ minLength: 2 * K, maxLength: 2 * K, noNaN: true, min: -2, max: 2 }),
      fc.float32Array({ minLength: K, maxLength: K, noNaN: true, min: -100, max: 100 }),
    ),
  );

test('without a plan, the most likely', () => {
  fc.assert(
    fc.property(chunks, ([actions, logProb]) => {
      expect(logProb[choose({ actions, logProb })]).toBe(Math.max(...logProb));
    }),
  );
});

test('with a plan, the most likely of the nearest quarter', () => {
  fc.assert(
    fc.property(chunks, fc.double({ min: -1, max: 1, noNaN: true }), ([actions, logProb], wanted) => {
      const k = choose({ actions, logProb }, Float32Array.of(wanted));
      const distance = (i: number) => (Math.min(1, Math.max(-1, actions[2 * i])) - Math.fround(wanted)) ** 2;
      const all = [...logProb.keys()];
      const nearer = all.filter((i) => distance(i) < distance(k));
      expect(nearer.length).toBeLessThan(Math.max(1, logProb.length / 4));
      for (const i of nearer) expect(logProb[i]).toBeLessThanOrEqual(logProb[k]);
    }),
  );
});
