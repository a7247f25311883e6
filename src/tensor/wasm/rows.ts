/**
 * Kernels on rows of numbers: normalisation, GELU. Widths are those of memory, multiples of 4; what lies beyond the
 * true width must be zero and stays so.
 */
import type { Assembler, Func, Local } from './assembler.ts';
import { advance, f32, f32x4, i32, repeat, sumLanes, v128 } from './instructions.ts';
import { gelu4, scratch } from './math.ts';

const NORM_EPS = 1e-5;

/** 1 / sqrt(sum / width + eps), in all lanes. */
const inverseRms = (sum: Local, temporary: Local, width: number) =>
  f32x4.splat(
    f32.div(
      f32.const(1),
      f32.sqrt(
        f32.add(f32.mul(f32x4.lane(sumLanes(temporary, sum.get), 0), f32.const(1 / width)), f32.const(NORM_EPS)),
      ),
    ),
  );

export interface NormShape {
  /** True width of a row, and numbers from row to row. */
  readonly width: number;
  readonly stride: number;
}

/**
 * addNorm(x, term, termStride, y, groups): x += term, then y = x / rms(x), row by row; each group of `rows` rows has its
 * own term, termStride bytes apart. x [groups, rows, stride] has a mean of zero, so this is LayerNorm without its affine
 * map.
 */
export function addNormKernel(m: Assembler, { width, stride }: NormShape, rows: number): Func {
  return m.func('addNorm', ['i32', 'i32', 'i32', 'i32', 'i32'], (scope) => {
    const [x, term, termStride, y, groups] = scope.params as Local[] & { length: 5 };
    const [row, left, from] = scope.locals('i32', 3) as [Local, Local, Local];
    const [v, sum, factor] = scope.locals('v128', 3) as [Local, Local, Local];
    return repeat(groups, groups.get, [
      repeat(row, i32.const(rows), [
        sum.set(f32x4.const(0)),
        from.set(term.get),
        repeat(left, i32.const(stride / 4), [
          v.set(f32x4.add(v128.load(x.get), v128.load(from.get))),
          v128.store(x.get, v.get),
          sum.set(f32x4.add(sum.get, f32x4.mul(v.get, v.get))),
          advance(x, 16),
          advance(from, 16),
        ]),
        factor.set(inverseRms(sum, v, width)),
        advance(x, -4 * stride),
        repeat(left, i32.const(stride / 4), [
          v128.store(y.get, f32x4.mul(v128.load(x.get), factor.get)),
          advance(x, 16),
          advance(y, 16),
        ]),
      ]),
      term.set(i32.add(term.get, termStride.get)),
    ]);
  });
}

/** normGelu(x, weight, bias, rows): x = gelu(x / rms(x) * weight + bias), row by row, rows `apart` numbers from each other. */
export function normGeluKernel(m: Assembler, { width, stride }: NormShape, apart: number): Func {
  return m.func('normGelu', ['i32', 'i32', 'i32', 'i32'], (scope) => {
    const [x, weight, bias, rows] = scope.params as [Local, Local, Local, Local];
    const [row, left, at] = scope.locals('i32', 3) as [Local, Local, Local];
    const [v, sum, factor] = scope.locals('v128', 3) as [Local, Local, Local];
    const math = scratch(scope);
    return repeat(row, rows.get, [
      sum.set(f32x4.const(0)),
      repeat(left, i32.const(stride / 4), [
        v.set(v128.load(x.get)),
        sum.set(f32x4.add(sum.get, f32x4.mul(v.get, v.get))),
        advance(x, 16),
      ]),
      factor.set(inverseRms(sum, v, width)),
      advance(x, -4 * stride),
      at.set(i32.const(0)),
      repeat(left, i32.const(stride / 4), [
        v.set(
          f32x4.add(
            f32x4.mul(f32x4.mul(v128.load(x.get), factor.get), v128.load(i32.add(weight.get, at.get))),
            v128.load(i32.add(bias.get, at.get)),
          ),
        ),
        v128.store(x.get, gelu4(math, v)),
        advance(x, 16),
        advance(at, 16),
      ]),
      advance(x, 4 * (apart - stride)),
    ]);
  });
}

/** gelu(x, vectors): in place, four numbers to a vector. */
export function geluKernel(m: Assembler): Func {
  return m.func('gelu', ['i32', 'i32'], (scope) => {
    const [x, vectors] = scope.params as [Local, Local];
    const left = scope.local('i32');
    const v = scope.local('v128');
    const math = scratch(scope);
    return repeat(left, vectors.get, [v.set(v128.load(x.get)), v128.store(x.get, gelu4(math, v)), advance(x, 16)]);
  });
}
