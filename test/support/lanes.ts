/** A function of four lanes, compiled alone and run on numbers. */
import { assembler, type Code, type Local, type Scope } from '../../src/tensor/wasm/assembler.ts';
import { instantiate } from '../../src/tensor/wasm/instantiate.ts';
import { advance, repeat, v128 } from '../../src/tensor/wasm/instructions.ts';

type Exports = { memory: { buffer: ArrayBuffer }; run(vectors: number): void };

/**
 * @param prepare takes what locals the function needs
 * @returns its value at every number, four at a time
 */
export async function onLanes(
  prepare: (scope: Scope) => (x: Local) => Code,
  numbers: readonly number[],
): Promise<Float32Array> {
  const m = assembler();
  m.func(
    'run',
    ['i32'],
    (scope) => {
      const [vectors] = scope.params as [Local];
      const [turn, at] = scope.locals('i32', 2) as [Local, Local];
      const x = scope.local('v128');
      const f = prepare(scope);
      return repeat(turn, vectors.get, [x.set(v128.load(at.get)), v128.store(at.get, f(x)), advance(at, 16)]);
    },
    { exported: true },
  );
  const { memory, run } = await instantiate<Exports>(m.bytes(2), 'The test');
  const data = new Float32Array(memory.buffer, 0, 4 * Math.ceil(numbers.length / 4));
  data.set(numbers);
  run(data.length / 4);
  return data.slice(0, numbers.length);
}
