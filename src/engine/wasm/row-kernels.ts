/**
 * Kernels on rows of numbers without gaps, of any length: one may end inside a vector, and what lies beyond is masked.
 */
import type { Assembler, Code, Func, Local, Scope } from '../../tensor/wasm/assembler.ts';
import { advance, f32, f32x4, i32, i32x4, loopWhile, repeat, sumLanes, v128 } from '../../tensor/wasm/instructions.ts';
import { exp4, scratch } from '../../tensor/wasm/math.ts';

/** Writes kernel(x, xRow, y, rows, n, parameter): rows of x are xRow bytes apart, those of y have no gaps. */
export type RowKernel = (m: Assembler, name: string) => Func;

/** What the kernels share: a turn for each row, and passes over its vectors. */
interface Row {
  /** Where the row's results go. */
  readonly y: Local;
  readonly n: Local;
  readonly parameter: Local;
  /** The numbers of a vector that belong to the row: others are `neutral`. */
  masked(v: Code, neutral?: number): Code;
  /** Visits the vectors of x and y, the last one by `last`. */
  pass(each: (x: Local, y: Local) => Code, last?: (x: Local, y: Local) => Code): Code;
}

/** kernel(x, xRow, y, rows, n, parameter): rows of x are xRow bytes apart, those of y have no gaps. */
function rowKernel(m: Assembler, name: string, width: 'one' | 'n', body: (row: Row, scope: Scope) => Code): Func {
  return m.func(name, ['i32', 'i32', 'i32', 'i32', 'i32', 'f32'], (scope) => {
    const [x, xRow, y, rows, n, parameter] = scope.params as Local[] & { length: 6 };
    const [turn, left, from, to] = scope.locals('i32', 4) as Local[] & { length: 4 };
    const mask = scope.local('v128');
    const before = i32.sub(n.get, i32.const(1));
    const row: Row = {
      y,
      n,
      parameter,
      masked: (v, neutral = 0) => v128.select(v, f32x4.const(neutral), mask.get),
      pass: (each, last = each) => [
        from.set(x.get),
        to.set(y.get),
        left.set(i32.divU(before, i32.const(4))),
        loopWhile(left.get, [each(from, to), advance(from, 16), advance(to, 16), advance(left, -1)]),
        last(from, to),
      ],
    };
    return [
      mask.set(i32x4.gt(i32x4.splat(i32.add(i32.and(before, i32.const(3)), i32.const(1))), i32x4.const(0, 1, 2, 3))),
      repeat(turn, rows.get, [
        body(row, scope),
        x.set(i32.add(x.get, xRow.get)),
        y.set(i32.add(y.get, width === 'one' ? i32.const(4) : i32.mul(n.get, i32.const(4)))),
      ]),
    ];
  });
}

export const sumKernel: RowKernel = (m, name) =>
  rowKernel(m, name, 'one', ({ y, parameter, masked, pass }, scope) => {
    const [total, v] = scope.locals('v128', 2) as [Local, Local];
    const plus = (value: Code) => total.set(f32x4.add(total.get, value));
    return [
      total.set(f32x4.const(0)),
      pass(
        (x) => plus(v128.load(x.get)),
        (x) => plus(masked(v128.load(x.get))),
      ),
      f32.store(y.get, f32.mul(f32x4.lane(sumLanes(v, total.get), 0), parameter.get)),
    ];
  });

/** Less than any number that counts. */
const LEAST = -3.4e38;

export const softmaxKernel: RowKernel = (m, name) =>
  rowKernel(m, name, 'n', ({ masked, pass }, scope) => {
    const [most, total, v] = scope.locals('v128', 3) as [Local, Local, Local];
    const math = scratch(scope);
    const larger = (value: Code) => most.set(f32x4.pmax(most.get, value));
    const exponential = (finish: (e: Code) => Code) => (x: Local, y: Local) => [
      v.set(finish(exp4(math, f32x4.sub(v128.load(x.get), most.get)))),
      v128.store(y.get, v.get),
      total.set(f32x4.add(total.get, v.get)),
    ];
    const scaled = (_: Local, y: Local) => v128.store(y.get, f32x4.mul(v128.load(y.get), total.get));
    return [
      most.set(f32x4.const(LEAST)),
      pass(
        (x) => larger(v128.load(x.get)),
        (x) => larger(masked(v128.load(x.get), LEAST)),
      ),
      larger(v128.shuffle32(most.get, most.get, [2, 3, 0, 1])),
      larger(v128.shuffle32(most.get, most.get, [1, 0, 3, 2])),
      total.set(f32x4.const(0)),
      pass(
        exponential((e) => e),
        exponential((e) => masked(e)),
      ),
      total.set(f32x4.div(f32x4.const(1), sumLanes(v, total.get))),
      pass(scaled),
    ];
  });

export const normKernel: RowKernel = (m, name) =>
  rowKernel(m, name, 'n', ({ n, parameter, masked, pass }, scope) => {
    const [mean, total, v] = scope.locals('v128', 3) as [Local, Local, Local];
    const average = f32.div(f32x4.lane(sumLanes(v, total.get), 0), f32.fromI32(n.get));
    const plus = (value: Code) => total.set(f32x4.add(total.get, value));
    const centred = (x: Local) => f32x4.sub(v128.load(x.get), mean.get);
    const squared = (finish: (v: Code) => Code) => (x: Local) => [
      v.set(finish(centred(x))),
      plus(f32x4.mul(v.get, v.get)),
    ];
    return [
      total.set(f32x4.const(0)),
      pass(
        (x) => plus(v128.load(x.get)),
        (x) => plus(masked(v128.load(x.get))),
      ),
      mean.set(f32x4.splat(average)),
      total.set(f32x4.const(0)),
      pass(
        squared((d) => d),
        squared((d) => masked(d)),
      ),
      total.set(f32x4.splat(f32.div(f32.const(1), f32.sqrt(f32.add(average, parameter.get))))),
      pass((x, y) => v128.store(y.get, f32x4.mul(centred(x), total.get))),
    ];
  });
