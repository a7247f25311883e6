/**
 * exp, tanh, erf and GELU on four lanes, accurate to about 1e-7 (of the result for exp, absolutely for the others):
 * minimax polynomials and rational functions of single precision (Cephes' expf; Eigen's tanh and erf). What is left for
 * graphs of any kind is in elementary.ts.
 */
import type { Code, Local, Scope } from './assembler.ts';
import { f32x4, i32x4 } from './instructions.ts';

/** Locals that the functions below overwrite; one set serves a kernel. */
export interface Scratch {
  readonly x: Local;
  readonly square: Local;
  readonly power: Local;
  readonly whole: Local;
}

export function scratch(scope: Scope): Scratch {
  const [x, square, power, whole] = scope.locals('v128', 4) as [Local, Local, Local, Local];
  return { x, square, power, whole };
}

/** Highest power first, by Horner's rule. */
const polynomial = (x: Code, [first, ...rest]: readonly number[]): Code =>
  rest.reduce<Code>((sum, c) => f32x4.add(f32x4.mul(sum, x), f32x4.const(c)), f32x4.const(first));

const clamped = (x: Code, bound: number): Code => f32x4.pmin(f32x4.pmax(x, f32x4.const(-bound)), f32x4.const(bound));

const EXP = [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1];
/** ln 2 as a number of few bits, whose multiples are exact, and the rest. */
const LN2 = [0.693359375, -2.1219444e-4] as const;
/** Added to a small number, leaves it rounded to an integer in the low bits of the sum. */
export const ROUND = 1.5 * 2 ** 23;
const EXP_BOUND = 87;

/** exp(x), x clamped to +-87: e^x = 2^n e^r with n whole and |r| <= ln(2) / 2. */
export function exp4({ x, square, power, whole }: Scratch, value: Code): Code {
  return [
    x.set(clamped(value, EXP_BOUND)),
    power.set(f32x4.add(f32x4.mul(x.get, f32x4.const(Math.LOG2E)), f32x4.const(ROUND))),
    whole.set(f32x4.sub(power.get, f32x4.const(ROUND))),
    LN2.map((part) => x.set(f32x4.sub(x.get, f32x4.mul(whole.get, f32x4.const(part))))),
    square.set(f32x4.mul(x.get, x.get)),
    // The exponent field of the result is that of e^r plus n.
    i32x4.add(
      f32x4.add(f32x4.add(f32x4.mul(polynomial(x.get, EXP), square.get), x.get), f32x4.const(1)),
      i32x4.shl(power.get, [0x41, 23]),
    ),
  ];
}

const TANH_OVER = [
  -2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-8, 1.48572235717979e-5,
  6.37261928875436e-4, 4.89352455891786e-3,
];
const TANH_UNDER = [1.19825839466702e-6, 1.18534705686654e-4, 2.268434632439e-3, 4.89352518554385e-3];
/** Beyond it tanh is 1 to a float. */
const TANH_BOUND = 7.9053111076;

/** tanh(x) = x P(x^2) / Q(x^2). */
export const tanh4 = (s: Scratch, value: Code): Code => rational(s, value, TANH_BOUND, TANH_OVER, TANH_UNDER);

const ERF_OVER = [
  -2.72614225801306e-10, 2.77068142495902e-8, -2.10102402082508e-6, -5.69250639462346e-5, -7.34990630326855e-4,
  -2.95459980854025e-3, -1.60960333262415e-2,
];
const ERF_UNDER = [
  -1.45660718464996e-5, -2.13374055278905e-4, -1.68282697438203e-3, -7.37332916720468e-3, -1.42647390514189e-2,
];
const ERF_BOUND = 4;

/** erf(x) = x P(x^2) / Q(x^2). */
export const erf4 = (s: Scratch, value: Code): Code => rational(s, value, ERF_BOUND, ERF_OVER, ERF_UNDER);

/** x Phi(x), exactly (not the tanh approximation). `x` must not be one of the scratch locals. */
export const gelu4 = (s: Scratch, x: Local): Code => {
  const half = f32x4.mul(x.get, f32x4.const(0.5));
  return f32x4.add(half, f32x4.mul(erf4(s, f32x4.mul(x.get, f32x4.const(Math.SQRT1_2))), half));
};

function rational({ x, square }: Scratch, value: Code, bound: number, over: number[], under: number[]): Code {
  return [
    x.set(clamped(value, bound)),
    square.set(f32x4.mul(x.get, x.get)),
    f32x4.div(f32x4.mul(x.get, polynomial(square.get, over)), polynomial(square.get, under)),
  ];
}
