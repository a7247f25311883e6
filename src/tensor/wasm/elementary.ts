/**
 * exp of any size, log, sin and cos on four lanes, accurate to a few roundings of single precision: the reductions and
 * polynomials of musl's logf, sinf and cosf (FreeBSD's msun, after Sun's fdlibm), whose branches are selections here.
 */
import type { Code, Local, Scope } from './assembler.ts';
import { f32x4, f64x2, i32x4, v128 } from './instructions.ts';
import { exp4, type Scratch } from './math.ts';

/** Locals that the functions below overwrite, beside those of math.ts. */
export interface Registers extends Scratch {
  readonly value: Local;
  readonly sine: Local;
  readonly cosine: Local;
  readonly quadrant: Local;
}

export function registers(scope: Scope, scratch: Scratch): Registers {
  const [value, sine, cosine, quadrant] = scope.locals('v128', 4) as [Local, Local, Local, Local];
  return { ...scratch, value, sine, cosine, quadrant };
}

/** exp(x), which becomes infinite and zero where single precision does: the square of exp(x / 2), which does so later. */
export const exponential4 = (r: Registers, x: Code): Code => [
  r.value.set(exp4(r, f32x4.mul(x, f32x4.const(0.5)))),
  f32x4.mul(r.value.get, r.value.get),
];

/** The bits of sqrt(1/2), of 1, and of a number's fraction. */
const [ROOT_HALF, ONE, FRACTION] = [0x3f3504f3, 0x3f800000, 0x007fffff];
const SMALLEST_NORMAL = 2 ** -126;
const LG = [0.66666662693, 0.40000972152, 0.28498786688, 0.24279078841] as const;
const LN2 = { high: 0.69313812256, low: 9.0580006145e-6 } as const;

/** log(x) = n log 2 + log(1 + f), with 1 + f within a factor sqrt(2) of 1; NaN for negative x, -infinity for 0. */
export function log4({ value, x: f, whole: n, square: s, power: z, sine: w, cosine: half }: Registers, x: Code): Code {
  const { const: c, add, sub, mul } = f32x4;
  const tiny = f32x4.lt(value.get, c(SMALLEST_NORMAL));
  const even = mul(w.get, add(c(LG[1]), mul(w.get, c(LG[3]))));
  const odd = mul(z.get, add(c(LG[0]), mul(w.get, c(LG[2]))));
  const undefinedAt = v128.select(c(Number.NEGATIVE_INFINITY), c(Number.NaN), f32x4.eq(value.get, c(0)));
  return [
    value.set(x),
    // Numbers below the smallest normal one are scaled by 2^23.
    f.set(v128.select(mul(value.get, c(2 ** 23)), value.get, tiny)),
    f.set(i32x4.add(f.get, i32x4.const(ONE - ROOT_HALF))),
    n.set(i32x4.sub(i32x4.shr(f.get, [0x41, 23]), i32x4.add(i32x4.const(127), v128.and(tiny, i32x4.const(23))))),
    n.set(f32x4.fromI32(n.get)),
    f.set(sub(i32x4.add(v128.and(f.get, i32x4.const(FRACTION)), i32x4.const(ROOT_HALF)), c(1))),
    s.set(f32x4.div(f.get, add(f.get, c(2)))),
    z.set(mul(s.get, s.get)),
    w.set(mul(z.get, z.get)),
    half.set(mul(mul(f.get, f.get), c(0.5))),
    s.set(add(mul(s.get, add(half.get, add(even, odd))), mul(n.get, c(LN2.low)))),
    s.set(add(add(sub(s.get, half.get), f.get), mul(n.get, c(LN2.high)))),
    s.set(v128.select(s.get, undefinedAt, f32x4.gt(value.get, c(0)))),
    v128.select(value.get, s.get, f32x4.eq(value.get, c(Number.POSITIVE_INFINITY))),
  ];
}

/** pi / 2 as a number of few bits, whose multiples are exact, and the rest. */
const QUARTER = { high: 1.5707963109016418, low: 1.5893254773528196e-8 } as const;
const SINE = [-0.16666666641626524, 0.008333329385889463, -0.00019839334836096632, 2.718311493989822e-6];
const COSINE = [-0.499999997251031, 0.04166662332373906, -0.001388676377460993, 2.439044879627741e-5];

/** sin(x), for |x| below 2^28. */
export const sin4 = (r: Registers, x: Code): Code => wave(r, x, 0);

/** cos(x) = sin(x + pi / 2). */
export const cos4 = (r: Registers, x: Code): Code => wave(r, x, 1);

/** sin(x + quarters pi / 2): what is left of x after whole quarters of a turn, in double precision, two lanes at a time. */
function wave(r: Registers, angle: Code, quarters: 0 | 1): Code {
  const { value, x, square: z, power: k, whole: second, sine, cosine, quadrant } = r;
  const { const: c, add, sub, mul } = f64x2;
  const sinOfRest = mul(x.get, add(c(1), mul(z.get, polynomial(SINE))));
  const cosOfRest = add(c(1), mul(z.get, polynomial(COSINE)));
  function polynomial(coefficients: readonly number[]): Code {
    return coefficients.reduceRight<Code>((sum, a, i) => (i === 3 ? c(a) : add(c(a), mul(z.get, sum))), []);
  }
  const half = (lanes: Code, keep: (local: Local, lanes: Code) => Code): Code => [
    x.set(f64x2.fromF32(lanes)),
    k.set(f64x2.nearest(mul(x.get, c(2 / Math.PI)))),
    x.set(sub(sub(x.get, mul(k.get, c(QUARTER.high))), mul(k.get, c(QUARTER.low)))),
    z.set(mul(x.get, x.get)),
    keep(sine, f64x2.toF32(sinOfRest)),
    keep(cosine, f64x2.toF32(cosOfRest)),
    keep(quadrant, f64x2.toI32(k.get)),
  ];
  const join = (local: Local, lanes: Code) => local.set(v128.shuffle32(local.get, lanes, [0, 1, 4, 5]));
  return [
    value.set(angle),
    half(value.get, (local, lanes) => local.set(lanes)),
    second.set(v128.shuffle32(value.get, value.get, [2, 3, 0, 1])),
    half(second.get, join),
    quadrant.set(i32x4.add(quadrant.get, i32x4.const(quarters))),
    v128.xor(
      v128.select(cosine.get, sine.get, i32x4.sub(i32x4.const(0), v128.and(quadrant.get, i32x4.const(1)))),
      i32x4.shl(v128.and(quadrant.get, i32x4.const(2)), [0x41, 30]),
    ),
  ];
}
