import { expect, test } from 'vitest';
import { sumRows } from './row-sums.ts';

test('an id that names no row is told, whichever end it is beyond', () => {
  for (const id of [-1n, 3n])
    expect(() => sumRows(new Float32Array(6), new Float32Array(4), BigInt64Array.of(0n, id))).toThrow(
      `Id ${id} names no row of a table of 3.`,
    );
});
