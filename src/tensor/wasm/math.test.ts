import { describe, expect, test } from 'vitest';
import { erf } from '../../../test/support/interpreter.ts';
import { onLanes } from '../../../test/support/lanes.ts';
import type { Code, Local } from './assembler.ts';
import { erf4, exp4, gelu4, type Scratch, scratch, tanh4 } from './math.ts';

const evaluate = (f: (s: Scratch, x: Local) => Code, numbers: readonly number[]) =>
  onLanes((scope) => {
    const s = scratch(scope);
    return (x) => f(s, x);
  }, numbers);

/** From -bound to bound, with 0 and the smallest steps around it. */
const grid = (bound: number) => [
  ...Array.from({ length: 4001 }, (_, i) => Math.fround((bound * (i - 2000)) / 2000)),
  1e-20,
  -1e-20,
];

/** A few roundings of single precision (6e-8 each). */
const ROUNDINGS = 5e-7;

describe('on four lanes', () => {
  test('exp, relative to its value; beyond +-87 it stays at the bound', async () => {
    const x = grid(86);
    (await evaluate((s, v) => exp4(s, v.get), x)).forEach((y, i) => {
      expect(Math.abs(y / Math.exp(x[i]) - 1), `exp(${x[i]})`).toBeLessThan(ROUNDINGS);
    });
    const [low, high] = await evaluate((s, v) => exp4(s, v.get), [-1e30, 1e30]);
    expect(low).toBeLessThan(1e-37);
    expect(Number.isFinite(high)).toBe(true);
  });

  test.each([
    ['tanh', 12, Math.tanh, (s: Scratch, x: Local) => tanh4(s, x.get)],
    ['erf', 6, erf, (s: Scratch, x: Local) => erf4(s, x.get)],
    ['GELU', 6, (x: number) => (x / 2) * (1 + erf(x * Math.SQRT1_2)), gelu4],
  ] as const)('%s, absolutely', async (_, bound, wanted, f) => {
    const x = grid(bound);
    (await evaluate(f, x)).forEach((y, i) => {
      expect(Math.abs(y - wanted(x[i])), `at ${x[i]}`).toBeLessThan(ROUNDINGS * Math.max(1, Math.abs(x[i])));
    });
  });
});
