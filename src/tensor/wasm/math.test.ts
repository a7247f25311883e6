import { describe, expect, test } from 'vitest';
import { erf } from '../../../test/support/interpreter.ts';
import { assembler, type Code, type Local } from './assembler.ts';
import { instantiate } from './instantiate.ts';
import { advance, repeat, v128 } from './instructions.ts';
import { erf4, exp4, gelu4, type Scratch, scratch, tanh4 } from './math.ts';

type Exports = { memory: { buffer: ArrayBuffer }; run(vectors: number): void };

/** Runs a function on every number, four lanes at a time. */
async function evaluate(f: (s: Scratch, x: Local) => Code, numbers: readonly number[]): Promise<Float32Array> {
  const m = assembler();
  m.func(
    'run',
    ['i32'],
    (scope) => {
      const [vectors] = scope.params as [Local];
      const [turn, at] = scope.locals('i32', 2) as [Local, Local];
      const x = scope.local('v128');
      const s = scratch(scope);
      return repeat(turn, vectors.get, [x.set(v128.load(at.get)), v128.store(at.get, f(s, x)), advance(at, 16)]);
    },
    { exported: true },
  );
  const { memory, run } = await instantiate<Exports>(m.bytes(1), 'The test');
  const data = new Float32Array(memory.buffer, 0, 4 * Math.ceil(numbers.length / 4));
  data.set(numbers);
  run(data.length / 4);
  return data.slice(0, numbers.length);
}

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
