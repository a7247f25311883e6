import { describe, expect, test } from 'vitest';
import { assembler, type Local, signed, unsigned } from './assembler.ts';
import { instantiate } from './instantiate.ts';
import { call, f32, i32, loopWhile, repeat, when } from './instructions.ts';

/** The numbers of the standard's own examples and of the edges of one more byte. */
test('integers are LEB128', () => {
  expect(unsigned(624485)).toEqual([0xe5, 0x8e, 0x26]);
  expect([0, 127, 128].map(unsigned)).toEqual([[0], [127], [128, 1]]);
  expect(signed(-123456)).toEqual([0xc0, 0xbb, 0x78]);
  expect([63, 64, -64, -65].map(signed)).toEqual([[63], [192, 0], [64], [191, 127]]);
});

describe('control flow', () => {
  type Exports = { memory: { buffer: ArrayBuffer }; run(n: number): void };

  test('repeat, loopWhile and when count as they say', async () => {
    const m = assembler();
    m.func(
      'run',
      ['i32'],
      (scope) => {
        const [n] = scope.params as [Local];
        const [turn, sum] = scope.locals('i32', 2) as [Local, Local];
        return [
          repeat(turn, n.get, sum.set(i32.add(sum.get, i32.const(10)))),
          loopWhile(n.get, [
            when(
              i32.eq(n.get, i32.const(2)),
              sum.set(i32.add(sum.get, i32.const(1000))),
              sum.set(i32.add(sum.get, i32.const(1))),
            ),
            n.set(i32.sub(n.get, i32.const(1))),
          ]),
          i32.store(i32.const(8), sum.get),
        ];
      },
      { exported: true },
    );
    const { memory, run } = await instantiate<Exports>(m.bytes(1), 'The test');
    run(5);
    expect(new Int32Array(memory.buffer)[2]).toBe(5 * 10 + 4 + 1000);
    expect(memory.buffer.byteLength).toBe(65536);
  });

  test('a call with the wrong number of arguments is refused when it is written', () => {
    const m = assembler();
    const callee = m.func('callee', ['i32', 'f32'], () => []);
    expect(() => m.func('caller', [], () => call(callee, i32.const(1)))).toThrow('callee takes 2 arguments; got 1.');
    expect(() => m.func('fine', [], () => call(callee, i32.const(1), f32.const(2)))).not.toThrow();
  });
});
