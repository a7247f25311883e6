import { expect, test } from 'vitest';
import { onLanes } from '../../../test/support/lanes.ts';
import type { Code } from './assembler.ts';
import { cos4, exponential4, log4, type Registers, registers, sin4 } from './elementary.ts';
import { scratch } from './math.ts';

const evaluate = (f: (r: Registers, x: Code) => Code, numbers: readonly number[]) =>
  onLanes((scope) => {
    const all = registers(scope, scratch(scope));
    return (x) => f(all, x.get);
  }, numbers);

/** n numbers from lo to hi, in single precision. */
const grid = (lo: number, hi: number, n = 4001) =>
  Array.from({ length: n }, (_, i) => Math.fround(lo + ((hi - lo) * i) / (n - 1)));

/** A few roundings of single precision (6e-8 each). */
const ROUNDINGS = 5e-7;

test('exp, relative to its value; beyond its range infinity and zero', async () => {
  const x = grid(-87, 88.7);
  (await evaluate(exponential4, x)).forEach((y, i) => {
    expect(Math.abs(y / Math.exp(x[i]) - 1), `exp(${x[i]})`).toBeLessThan(ROUNDINGS);
  });
  expect([...(await evaluate(exponential4, [-1e9, 89, Number.NaN, 0]))]).toEqual([0, Infinity, Number.NaN, 1]);
});

test('log, relative to its value, over the whole range', async () => {
  const x = [...grid(-148, 127.9).map((e) => Math.fround(2 ** e)), ...grid(0.5, 2)];
  (await evaluate(log4, x)).forEach((y, i) => {
    expect(Math.abs(y - Math.log(x[i])), `log(${x[i]})`).toBeLessThan(ROUNDINGS * Math.abs(Math.log(x[i])) + 1e-45);
  });
  const special = [0, -1, Infinity, Number.NaN, 1, -0, -1e-40, 2 ** -149];
  const wanted = [
    -Infinity,
    Number.NaN,
    Infinity,
    Number.NaN,
    0,
    -Infinity,
    Number.NaN,
    Math.fround(Math.log(2 ** -149)),
  ];
  expect([...(await evaluate(log4, special))]).toEqual(wanted);
});

test.each([
  ['sin', sin4, Math.sin],
  ['cos', cos4, Math.cos],
] as const)('%s, of small and of large angles', async (_, f, wanted) => {
  const x = [...grid(-10, 10), ...grid(-1000, 1000), ...grid(1e5, 2e8)];
  (await evaluate(f, x)).forEach((y, i) => {
    expect(Math.abs(y - wanted(x[i])), `of ${x[i]}`).toBeLessThan(ROUNDINGS);
  });
  const [small, none] = await evaluate(sin4, [1e-20, Infinity]);
  expect(small).toBe(Math.fround(1e-20));
  expect(none).toBeNaN();
});
