/**
 * Elementary functions whose results are the same bits in every engine.
 *
 * The language leaves the last digits of Math.sin, exp and their like to the engine, and versions of V8 do differ. These
 * are made of what IEEE 754 rounds exactly (+, -, *, /, square root), after Sun's fdlibm, and are within two units in
 * the last place. Whatever a published result depends on uses them (scripts/check-math.mjs holds it in CI).
 *
 * Copyright (C) 1993, 2004 by Sun Microsystems, Inc. All rights reserved.
 * Developed at SunPro, a Sun Microsystems, Inc. business. Permission to use, copy, modify, and distribute this software
 * is freely granted, provided that this notice is preserved.
 */
export { atan2, cos, sin, tan } from './trigonometry.ts';

/** The two halves of a double, for its exponent. */
const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
const HIGH = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 1 : 0;

/** ln 2 in two parts; multiples of the first by an exponent are exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/** 2^k for k from -1074 to 1023, at k + 1074. */
const POWERS = new Float64Array(2098);
for (let i = 0, power = 5e-324; i < POWERS.length; i++, power *= 2) POWERS[i] = power;
const powerOfTwo = (k: number): number => POWERS[k + 1074];

/**
 * exp(r) - 1 for r = high - low, |r| <= ln(2) / 2: with c = r - r^2 P(r^2) it is r + r c / (2 - c), where P is the Remez
 * polynomial of r (exp(r) + 1) / (exp(r) - 1).
 */
function reducedExp(high: number, low: number): number {
  const r = high - low;
  const t = r * r;
  const p =
    0.16666666666666602 +
    t *
      (-2.7777777777015593e-3 + t * (6.613756321437934e-5 + t * (-1.6533902205465252e-6 + t * 4.1381367970572385e-8)));
  const c = r - t * p;
  return high - (low - (r * c) / (2 - c));
}

/** exp(x) - 1 for |x| <= 50, without cancellation near zero. */
function expMinus1(x: number): number {
  const k = Math.round(Math.LOG2E * x);
  const scale = powerOfTwo(k);
  return scale * reducedExp(x - k * LN2_HIGH, k * LN2_LOW) + (scale - 1);
}

export function exp(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > 709.782712893384) return Number.POSITIVE_INFINITY;
  if (x < -745.1332191019411) return 0;
  const k = Math.round(Math.LOG2E * x);
  const reduced = 1 + reducedExp(x - k * LN2_HIGH, k * LN2_LOW);
  // In two steps, because 2^k alone may overflow or underflow where the result does not.
  const half = k >> 1;
  return reduced * powerOfTwo(half) * powerOfTwo(k - half);
}

/** Natural logarithm: x = 2^k (1 + f) with 1 + f within a factor of sqrt(2) of 1, and s = f / (2 + f). */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
  if (x === Number.POSITIVE_INFINITY) return x;
  const subnormal = x < 2.2250738585072014e-308;
  const normal = subnormal ? x * 18014398509481984 : x;
  double[0] = normal;
  // Adding 0x95f64 to the upper half carries into the exponent where 1 + f would be sqrt(2) or more.
  const k = ((words[HIGH] + 0x95f64) >>> 20) - 1023;
  const f = normal * powerOfTwo(-k) - 1;
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const even = w * (0.3999999999940942 + w * (0.22222198432149784 + w * 0.15313837699209373));
  const odd = z * (0.6666666666666735 + w * (0.2857142874366239 + w * (0.1818357216161805 + w * 0.14798198605116586)));
  const half = 0.5 * f * f;
  const exponent = subnormal ? k - 54 : k;
  return exponent * LN2_HIGH - (half - (s * (half + (odd + even)) + exponent * LN2_LOW) - f);
}

export function tanh(x: number): number {
  const magnitude = Math.abs(x);
  if (Number.isNaN(x) || magnitude < 1e-9) return x;
  const value =
    magnitude > 22
      ? 1
      : magnitude >= 1
        ? 1 - 2 / (expMinus1(2 * magnitude) + 2)
        : ((e) => -e / (e + 2))(expMinus1(-2 * magnitude));
  return x < 0 ? -value : value;
}

/**
 * base^exponent of a base of at least 0, as exp(exponent log(base)): its relative error grows with the size of that
 * product, 1e-16 for each unit.
 */
export const pow = (base: number, exponent: number): number => (exponent === 0 ? 1 : exp(exponent * log(base)));

export const square = (x: number): number => x * x;

/** Square root of the sum of squares; without overflow or underflow on the way. */
export function hypot(...values: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  if (sum > 1e-280 && sum < 1e300) return Math.sqrt(sum);
  if (values.some((v) => Math.abs(v) === Number.POSITIVE_INFINITY)) return Number.POSITIVE_INFINITY;
  const largest = values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  if (!(largest > 0)) return largest;
  return largest * Math.sqrt(values.reduce((total, v) => total + (v / largest) * (v / largest), 0));
}
