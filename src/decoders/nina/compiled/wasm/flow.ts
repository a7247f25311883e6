/**
 * The kernels of the flow itself: moving chunks between the caller's layout and the padded one, coupling, density.
 * The running sum of a row's log-probability is four lanes in memory, added up when the row is done.
 */
import type { Assembler, Func, Local } from '../../../../tensor/wasm/assembler.ts';
import { advance, f32, f32x4, i32, repeat, sumLanes, v128 } from '../../../../tensor/wasm/instructions.ts';
import { exp4, scratch, tanh4 } from '../../../../tensor/wasm/math.ts';
import type { Places } from './places.ts';

export interface FlowKernels {
  /** gather(table, from, fromStride, to, toStride, batch): `count` numbers per row by a table of byte offsets (from, to). */
  readonly gather: Func;
  /** coupleSample(chunk, st, batch): y2 = (y2 - t) exp(-tanh s) in place, and the sums += tanh s. */
  readonly coupleSample: Func;
  /** coupleLogProb(chunk, st, batch): y2 = y2 exp(tanh s) + t in place, and the sums += tanh s. */
  readonly coupleLogProb: Func;
  /** base(z, batch): the sums += -z^2 / 2. */
  readonly base: Func;
  /** density(out, batch): out = the sums, lanes added, plus `constant`; the sums are zero again. */
  readonly density: Func;
}

/** @param sums the address of 4 numbers per row, zero at first */
export function flowKernels(m: Assembler, places: Places, count: number, sums: number, constant: number): FlowKernels {
  const { tokens, tokenStride, tokenPanels, half } = places;
  const couple = (name: string, inverse: boolean) =>
    m.func(name, ['i32', 'i32', 'i32'], (scope) => {
      const [chunk, st, batch] = scope.params as [Local, Local, Local];
      const [token, part, sumAt] = scope.locals('i32', 3) as [Local, Local, Local];
      const [sum, scale, t, y] = scope.locals('v128', 4) as [Local, Local, Local, Local];
      const math = scratch(scope);
      const moved = inverse
        ? f32x4.mul(f32x4.sub(y.get, t.get), exp4(math, f32x4.neg(scale.get)))
        : f32x4.add(f32x4.mul(y.get, exp4(math, scale.get)), t.get);
      return [
        sumAt.set(i32.const(sums)),
        repeat(batch, batch.get, [
          advance(chunk, 4 * half),
          sum.set(v128.load(sumAt.get)),
          repeat(token, i32.const(tokens), [
            repeat(part, i32.const(tokenStride / 4), [
              scale.set(tanh4(math, v128.load(st.get))),
              t.set(v128.load(st.get, 4 * tokenPanels)),
              y.set(v128.load(chunk.get)),
              sum.set(f32x4.add(sum.get, scale.get)),
              v128.store(chunk.get, moved),
              advance(st, 16),
              advance(chunk, 16),
            ]),
            advance(st, 4 * (2 * tokenPanels - tokenStride)),
          ]),
          v128.store(sumAt.get, sum.get),
          advance(sumAt, 16),
        ]),
      ];
    });
  return {
    gather: m.func('gather', ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'], (scope) => {
      const [table, from, fromStride, to, toStride, batch] = scope.params as Local[] & { length: 6 };
      const [left, entry] = scope.locals('i32', 2) as [Local, Local];
      return repeat(batch, batch.get, [
        entry.set(table.get),
        repeat(left, i32.const(count), [
          f32.store(i32.add(to.get, i32.load(entry.get, 4)), f32.load(i32.add(from.get, i32.load(entry.get)))),
          advance(entry, 8),
        ]),
        from.set(i32.add(from.get, fromStride.get)),
        to.set(i32.add(to.get, toStride.get)),
      ]);
    }),
    coupleSample: couple('coupleSample', true),
    coupleLogProb: couple('coupleLogProb', false),
    base: m.func('base', ['i32', 'i32'], (scope) => {
      const [z, batch] = scope.params as [Local, Local];
      const [left, sumAt] = scope.locals('i32', 2) as [Local, Local];
      const [sum, v] = scope.locals('v128', 2) as [Local, Local];
      return [
        sumAt.set(i32.const(sums)),
        repeat(batch, batch.get, [
          sum.set(v128.load(sumAt.get)),
          repeat(left, i32.const(half / 2), [
            v.set(v128.load(z.get)),
            sum.set(f32x4.sub(sum.get, f32x4.mul(f32x4.mul(v.get, v.get), f32x4.const(0.5)))),
            advance(z, 16),
          ]),
          v128.store(sumAt.get, sum.get),
          advance(sumAt, 16),
        ]),
      ];
    }),
    density: m.func('density', ['i32', 'i32'], (scope) => {
      const [out, batch] = scope.params as [Local, Local];
      const sumAt = scope.local('i32');
      const v = scope.local('v128');
      return [
        sumAt.set(i32.const(sums)),
        repeat(batch, batch.get, [
          f32.store(out.get, f32.add(f32x4.lane(sumLanes(v, v128.load(sumAt.get)), 0), f32.const(constant))),
          v128.store(sumAt.get, f32x4.const(0)),
          advance(sumAt, 16),
          advance(out, 4),
        ]),
      ];
    }),
  };
}
