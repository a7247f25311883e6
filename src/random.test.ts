import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dropoutMask, fold, key, normals, permutation, rng } from './random.ts';

/** Five standard errors: a correct generator fails once in a million seeds, and the seeds here are fixed. */
const SIGMAS = 5;

describe('keys', () => {
  it('are functions of the seed and the path', () => {
    expect(fold(key(3), 'demos', 2)).toEqual(fold(fold(key(3), 'demos'), 2));
    expect(key(1)).not.toEqual(key(2));
    expect(fold(key(1), 'a', 'bc')).not.toEqual(fold(key(1), 'ab', 'c'));
    expect(fold(key(1), 49)).not.toEqual(fold(key(1), '1'));
    expect(new Set(Array.from({ length: 1000 }, (_, i) => String(fold(key(5), i)))).size).toBe(1000);
  });

  it('stay what they are: results recorded with a seed can be reproduced by later versions', () => {
    expect(key(0)).toEqual([854265636, 4087693466]);
    expect(
      Array.from(
        { length: 2 },
        (
          (r) => () =>
            r.u32()
        )(rng(key(0))),
      ),
    ).toEqual([3169125596, 3094777262]);
  });

  it('refuse seeds that are not integers', () => {
    expect(() => key(1.5)).toThrow('A seed must be an integer in [0, 2^53); got 1.5.');
    expect(() => fold(key(1), Number.NaN)).toThrow('got the number NaN');
  });
});

describe('draws', () => {
  it('are uniform and normal', () => {
    const n = 20000;
    const r = rng(key(1));
    const u = Array.from({ length: n }, () => r.uniform());
    expect(Math.abs(u.reduce((a, b) => a + b) / n - 0.5)).toBeLessThan(SIGMAS * Math.sqrt(1 / 12 / n));
    const z = normals(key(2), n);
    expect(Math.abs(z.reduce((a, b) => a + b) / n)).toBeLessThan(SIGMAS / Math.sqrt(n));
    expect(Math.abs(z.reduce((a, b) => a + b * b, 0) / n - 1)).toBeLessThan(SIGMAS * Math.sqrt(2 / n));
  });

  it('permute', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 80 }), (seed, n) => {
        expect([...permutation(key(seed), n)].sort((a, b) => a - b)).toEqual([...Array(n).keys()]);
      }),
    );
  });

  it('drop the asked share and keep the mean', () => {
    const n = 50001;
    const mask = dropoutMask(key(4), 0.1, new Float32Array(n));
    const dropped = mask.filter((m) => m === 0).length;
    expect(Math.abs(dropped / n - 0.1)).toBeLessThan(SIGMAS * Math.sqrt(0.09 / n));
    expect(mask.find((m) => m !== 0)).toBeCloseTo(1 / 0.9, 6);
  });
});
