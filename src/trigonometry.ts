/**
 * Sine, cosine, tangent and arctangent of `math.ts`: an angle is brought to within pi/4 of zero, as a double and its
 * remainder, and a polynomial does the rest.
 *
 * Copyright (C) 1993, 2004 by Sun Microsystems, Inc. All rights reserved.
 * Developed at SunPro, a Sun Microsystems, Inc. business. Permission to use, copy, modify, and distribute this software
 * is freely granted, provided that this notice is preserved.
 */

const QUARTER_TURN = 0.7853981633974483;
/** Beyond it the number of right angles has more than 20 bits, and its product with a part of pi/2 is rounded. */
const LARGEST_FAST = 2 ** 20 * 1.5707963267948966;

/** pi/2 in parts of 33 bits, each with what is left after it. */
const PART_1 = 1.5707963267341256;
const REST_1 = 6.077100506506192e-11;
const PART_2 = 6.077100506303966e-11;
const REST_2 = 2.0222662487959506e-21;
const PART_3 = 2.0222662487111665e-21;
const REST_3 = 8.4784276603689e-32;

/** The angle's remainder after `reduce`: the double nearest to it, and what that rounded away. */
let angle = 0;
let tail = 0;

/** Sets `angle` and `tail` to x less a multiple of pi/2. @returns the multiple, modulo 4 */
function reduce(x: number): number {
  if (Math.abs(x) <= QUARTER_TURN) {
    angle = x;
    tail = 0;
    return 0;
  }
  if (!(Math.abs(x) < LARGEST_FAST)) return reduceLarge(x);
  const n = Math.round(x * 0.6366197723675814);
  let rest = x - n * PART_1;
  let low = n * REST_1;
  angle = rest - low;
  // The more leading digits cancelled, the more parts of pi/2 are needed.
  if (Math.abs(angle) < Math.abs(x) * 2 ** -15) {
    const before = rest;
    low = n * PART_2;
    rest = before - low;
    low = n * REST_2 - (before - rest - low);
    angle = rest - low;
    if (Math.abs(angle) < Math.abs(x) * 2 ** -48) {
      const second = rest;
      low = n * PART_3;
      rest = second - low;
      low = n * REST_3 - (second - rest - low);
      angle = rest - low;
    }
  }
  tail = rest - angle - low;
  return n & 3;
}

/** Bits behind the point of `RIGHT_ANGLE`: the exponent of the largest double and 216 for the remainder. */
const POINT = 1240n;
const RIGHT_ANGLE = BigInt(
  '0x1921fb54442d18469898cc51701b839a252049c1114cf98e804177d4c76273644a29410f31c6809bbdf2a33679a748636605614dbe4be286' +
    'e9fc26adadaa3848bc90b6aecc4bcfd8de89885d34c6fdad617feb96de80d6fdbdc70d7f6b5133f4b5d3e4822f8963fcc9250cca3d9c8b67' +
    'b8400f97142c77e0b31b4906c38aba734d22c7f51fa499ebf06caba47b9475b2c38c5e6ac410aa5773daa52',
);

/** `reduce` by exact integers: rare, so short rather than fast. */
function reduceLarge(x: number): number {
  if (!Number.isFinite(x)) {
    angle = Number.NaN;
    tail = 0;
    return 0;
  }
  const shift = Math.abs(x) < 2 ** 53 ? 32 : 0;
  const exact = BigInt(x * 2 ** shift) << (POINT - BigInt(shift));
  const doubled = 2n * exact + RIGHT_ANGLE;
  const period = 2n * RIGHT_ANGLE;
  const n = doubled / period - (doubled < 0n ? 1n : 0n);
  const rest = (exact - n * RIGHT_ANGLE) >> (POINT - 200n);
  const nearest = Number(rest);
  angle = nearest * 2 ** -200;
  tail = Number(rest - BigInt(nearest)) * 2 ** -200;
  return Number(n & 3n);
}

/** sin(x + y) for |x| <= pi/4 and y far smaller. */
function sinKernel(x: number, y: number): number {
  if (Math.abs(x) < 1e-9) return x;
  const z = x * x;
  const v = z * x;
  const r =
    8.33333333332249e-3 +
    z * (-1.984126982985795e-4 + z * (2.7557313707070068e-6 + z * (-2.5050760253406863e-8 + z * 1.58969099521155e-10)));
  return x - (z * (0.5 * y - v * r) - y - v * -0.16666666666666632);
}

/** cos(x + y) for |x| <= pi/4 and y far smaller. */
function cosKernel(x: number, y: number): number {
  const z = x * x;
  const r =
    z *
    (4.16666666666666e-2 +
      z *
        (-1.388888888887411e-3 +
          z *
            (2.480158728947673e-5 +
              z * (-2.7557314351390663e-7 + z * (2.087572321298175e-9 + z * -1.1359647557788195e-11)))));
  const half = 0.5 * z;
  const w = 1 - half;
  return w + (1 - w - half + (z * r - x * y));
}

/** @param x rad, of any size */
export function sin(x: number): number {
  const n = reduce(x);
  const value = n & 1 ? cosKernel(angle, tail) : sinKernel(angle, tail);
  return n & 2 ? -value : value;
}

/** @param x rad, of any size */
export function cos(x: number): number {
  const n = reduce(x);
  const value = n & 1 ? sinKernel(angle, tail) : cosKernel(angle, tail);
  return n === 1 || n === 2 ? -value : value;
}

/** @param x rad, of any size */
export const tan = (x: number): number => sin(x) / cos(x);

/** Of 0.5, 1, 1.5 and infinity, in two parts. */
const ARCTANGENT = [0.4636476090008061, 0.7853981633974483, 0.982793723247329, Math.PI / 2];
const ARCTANGENT_REST = [2.2698777452961687e-17, 3.061616997868383e-17, 1.3903311031230998e-17, 6.123233995736766e-17];

/** What pi is more than Math.PI. */
const PI_REST = 1.2246467991473532e-16;

/** Arctangent of x >= 0, as that of a nearby number plus a polynomial of the rest. */
function atan(x: number): number {
  if (x < 0.4375) return x - atanKernel(x);
  const near = x < 0.6875 ? 0 : x < 1.1875 ? 1 : x < 2.4375 ? 2 : 3;
  const t = [(2 * x - 1) / (2 + x), (x - 1) / (x + 1), (x - 1.5) / (1 + 1.5 * x), -1 / x][near];
  return ARCTANGENT[near] - (atanKernel(t) - ARCTANGENT_REST[near] - t);
}

/** t - atan(t) for |t| <= 7/16. */
function atanKernel(t: number): number {
  const z = t * t;
  const w = z * z;
  const odd =
    z *
    (0.3333333333333293 +
      w *
        (0.14285714272503466 +
          w *
            (9.090887133436507e-2 +
              w * (6.661073137387531e-2 + w * (4.9768779946159324e-2 + w * 1.6285820115365782e-2)))));
  const even =
    w *
    (-0.19999999999876483 +
      w *
        (-0.11111110405462356 +
          w * (-7.69187620504483e-2 + w * (-5.8335701337905735e-2 + w * -3.6531572744216916e-2))));
  return t * (odd + even);
}

/** Angle of the point (x, y), rad in [-pi, pi]; the special cases of Math.atan2. */
export function atan2(y: number, x: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  const left = x < 0 || Object.is(x, -0);
  const diagonal = !Number.isFinite(x) && !Number.isFinite(y);
  const ratio = diagonal ? 1 : y === 0 ? 0 : Math.abs(y / x);
  const acute = atan(ratio);
  // Where x vanishes beside y, the side that it is on does not show.
  const value = left && ratio < 1e18 ? Math.PI - (acute - PI_REST) : acute;
  return y < 0 || Object.is(y, -0) ? -value : value;
}
