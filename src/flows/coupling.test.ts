import { describe, expect, test } from 'vitest';
import { cpu } from '../engine/index.ts';
import { key, normals } from '../random.ts';
import { concat, constant, mul } from '../tensor/index.ts';
import { coupling } from './coupling.ts';
import { invert, permutation } from './permutation.ts';

describe('affine coupling', () => {
  // Seven entries: three decide, four change.
  const x = normals(key(1), 14);
  const point = constant(x, [2, 7]);
  const strong = coupling((x1) => {
    const four = mul(concat([x1, constant([1, 1], [2, 1])], 1), 100);
    return [four, four];
  });

  test('the first half passes unchanged, to the bit, in both directions', async () => {
    using program = await cpu.compile({ y: strong.forward(point)[0], back: strong.inverse(point)[0] });
    const { y, back } = await program.run({});
    for (const row of [0, 7]) {
      expect(y.subarray(row, row + 3)).toEqual(x.subarray(row, row + 3));
      expect(back.subarray(row, row + 3)).toEqual(x.subarray(row, row + 3));
      for (const i of [3, 4, 5, 6]) expect(y[row + i]).not.toBe(x[row + i]);
    }
  });

  test('however large the conditioner, tanh bounds log det by the number of scaled entries', async () => {
    using program = await cpu.compile({ logDet: strong.forward(point)[1] });
    for (const logDet of (await program.run({})).logDet) expect(Math.abs(logDet)).toBeLessThanOrEqual(4);
  });
});

describe('permutation', () => {
  test('y[j] = x[order[j]]', async () => {
    using program = await cpu.compile({ y: permutation([2, 0, 1]).forward(constant([5, 6, 7], [1, 3]))[0] });
    expect([...(await program.run({})).y]).toEqual([7, 5, 6]);
  });

  test('what is no permutation is refused', () => {
    expect(() => invert([0, 2, 2])).toThrow('A permutation of 3 entries needs each of 0..2 once; got [0,2,2].');
    expect(() => invert([0, 3])).toThrow('A permutation of 2 entries needs each of 0..1 once; got [0,3].');
  });
});
