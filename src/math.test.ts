import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { atan2, cos, exp, hypot, log, pow, sin, tan, tanh } from './math.ts';
import { fold, key, rng } from './random.ts';

/**
 * The true values, by integers alone: numbers are multiples of 2^-BITS, series run until their terms vanish.
 * The largest double is 2^1024 and takes its 1,024 bits from those of pi; what is left is more than twice a double's 53.
 */
const BITS = 1300n;
const ONE = 1n << BITS;
const times = (a: bigint, b: bigint) => (a * b) >> BITS;
const over = (a: bigint, b: bigint) => (a << BITS) / b;

/** first + second + ..., where `next` makes term n from the one before. */
function series(first: bigint, next: (term: bigint, n: bigint) => bigint): bigint {
  let total = first;
  let n = 1n;
  for (let term = next(first, n); term !== 0n && term !== -1n; term = next(term, n)) {
    total += term;
    n++;
  }
  return total;
}

const atanOf = (t: bigint): bigint => {
  // Halving the angle four times makes the series short: tan(a / 2) = t / (1 + sqrt(1 + t^2)).
  const half = (v: bigint) => over(v, ONE + root(ONE + times(v, v)));
  const small = half(half(half(half(t))));
  const square = times(small, small);
  return 16n * series(small, (term, n) => (-times(term, square) * (2n * n - 1n)) / (2n * n + 1n));
};
function root(v: bigint): bigint {
  const wanted = v << BITS;
  let guess = 1n << BigInt(Math.ceil(wanted.toString(2).length / 2));
  for (;;) {
    const next = (guess + wanted / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}
const PI = 4n * atanOf(ONE);
const TWO_PI = 2n * PI;
const reduced = (x: bigint) => ((x % TWO_PI) + TWO_PI) % TWO_PI;
const trueSin = (x: bigint) => {
  const a = reduced(x);
  return series(a, (term, n) => -times(times(term, a), a) / (2n * n * (2n * n + 1n)));
};
const trueCos = (x: bigint) => trueSin(x + PI / 2n);
const trueExp = (x: bigint): bigint => {
  // exp(x) = exp(x / 2^12)^(2^12); for negative x as a reciprocal, which keeps leading digits.
  if (x < 0n) return over(ONE, trueExp(-x));
  const small = x >> 12n;
  let value = series(ONE, (term, n) => times(term, small) / n);
  for (let i = 0; i < 12; i++) value = times(value, value);
  return value;
};

/** A double as the multiple of 2^-BITS that it is, if it is no smaller than that allows. */
function exact(x: number): bigint {
  let value = x;
  let shift = 0n;
  while (!Number.isInteger(value)) {
    value *= 2;
    shift++;
  }
  return (BigInt(value) << BITS) >> shift;
}

/** |y - truth| in units of the last place of the truth's double. */
function ulps(y: number, truth: bigint): number {
  const magnitude = Math.abs(y) || Number.MIN_VALUE;
  const digits = BigInt(Math.max(-1074, Math.floor(Math.log2(magnitude)) - 52));
  const difference = exact(y) - truth;
  const unit = digits < 0n ? ONE >> -digits : ONE << digits;
  return Number((1000n * (difference < 0n ? -difference : difference)) / unit) / 1000;
}

/** fdlibm states less than one unit; quotients of two results have the errors of both. */
const ONE_ULP = 1.01;
const QUOTIENT_ULPS = 2.5;

/** n draws of both signs with exponents from 2^low to 2^high. */
function spread(name: string, n: number, low: number, high: number): number[] {
  const r = rng(fold(key(1), name));
  return Array.from(
    { length: n },
    () => (r.u32() & 1 ? 1 : -1) * (1 + r.uniform()) * 2 ** Math.floor(r.uniform(low, high)),
  );
}
const rightAngles = Array.from({ length: 200 }, (_, i) => (i * Math.PI) / 2).concat(
  // So near to one that some of their digits cancel.
  Array.from({ length: 200 }, (_, i) => ((i * Math.PI) / 2) * (1 + 2 ** -(14 + (i % 36)))),
  // Of all doubles the one nearest to a multiple of pi/2, and the largest.
  6381956970095103 * 2 ** 797,
  Number.MAX_VALUE,
  2 ** 20 * (Math.PI / 2),
  2 ** 53 + 2,
);

describe('against the true values', () => {
  const angles = [...spread('angles', 400, -30, 4), ...spread('large', 200, 4, 1023), ...rightAngles];
  test.each([
    ['sin', sin, trueSin, ONE_ULP],
    ['cos', cos, trueCos, ONE_ULP],
    ['tan', tan, (x: bigint) => over(trueSin(x), trueCos(x)), QUOTIENT_ULPS],
  ] as const)('%s', (_, ours, truth, bound) => {
    for (const x of angles) if (x !== 0) expect(ulps(ours(x), truth(exact(x))), `of ${x}`).toBeLessThan(bound);
  });

  test('exp and log', () => {
    for (const x of [...spread('exp', 400, -40, 9), -700, -708.3, 709.78]) {
      const y = exp(x);
      if (y > 2.3e-308 && y < Infinity) expect(ulps(y, trueExp(exact(x))), `exp(${x})`).toBeLessThan(ONE_ULP);
    }
    // The inverse, by one Newton step from a double: log v = y + (v / exp(y) - 1) and terms of the square of 1e-16.
    for (const v of [
      ...spread('log', 400, -60, 60).map(Math.abs),
      ...spread('one', 100, -40, -1).map((d) => 1 + d / 4),
    ]) {
      const y = log(v);
      if (v === 1) continue;
      const truth = exact(y) + over(exact(v), trueExp(exact(y))) - ONE;
      expect(ulps(y, truth), `log(${v})`).toBeLessThan(ONE_ULP);
    }
  });

  test('tanh', () => {
    for (const x of spread('tanh', 500, -40, 6)) {
      const e = trueExp(exact(2 * x));
      expect(ulps(tanh(x), over(e - ONE, e + ONE)), `tanh(${x})`).toBeLessThan(QUOTIENT_ULPS);
    }
  });

  test('atan2', () => {
    const y = spread('y', 400, -20, 20);
    const x = spread('x', 400, -20, 20);
    for (let i = 0; i < 400; i++) {
      const acute = atanOf(over(exact(Math.abs(y[i])), exact(Math.abs(x[i]))));
      const truth = x[i] < 0 ? PI - acute : acute;
      expect(ulps(atan2(y[i], x[i]), y[i] < 0 ? -truth : truth), `atan2(${y[i]}, ${x[i]})`).toBeLessThan(QUOTIENT_ULPS);
    }
  });

  test('hypot', () => {
    const x = spread('hypot', 900, -300, 300);
    for (let i = 0; i < 900; i += 3) {
      const squares = x.slice(i, i + 3).reduce((sum, v) => sum + times(exact(v), exact(v)), 0n);
      expect(ulps(hypot(...x.slice(i, i + 3)), root(squares)), `hypot(${x.slice(i, i + 3)})`).toBeLessThan(
        QUOTIENT_ULPS,
      );
    }
    expect(hypot(3e300, 4e300)).toBe(5e300);
    expect(hypot(3e-320, 4e-320)).toBe(5e-320);
  });

  test('pow, as its comment bounds it', () => {
    const r = rng(key(9));
    for (let i = 0; i < 300; i++) {
      const [base, exponent] = [r.uniform(0, 100), r.uniform(-3, 3)];
      const size = Math.abs(exponent * Math.log(base));
      expect(Math.abs(pow(base, exponent) / base ** exponent - 1), `${base}^${exponent}`).toBeLessThan(
        (size + 2) * Number.EPSILON,
      );
    }
    expect([pow(0, 2), pow(0, 0), pow(0, -1), pow(7, 0), pow(1, 1e9)]).toEqual([0, 1, Infinity, 1, 1]);
  });
});

describe('special arguments are answered as Math answers them', () => {
  const special = [0, -0, 1, -1, Infinity, -Infinity, Number.NaN, 5e-324, -5e-324, 1e-310, 1e-200];
  test.each([
    ['sin', sin, Math.sin],
    ['cos', cos, Math.cos],
    ['tan', tan, Math.tan],
    ['exp', exp, Math.exp],
    ['log', log, Math.log],
    ['tanh', tanh, Math.tanh],
  ] as const)('%s', (_, ours, native) => {
    for (const x of special) {
      const [got, wanted] = [ours(x), native(x)];
      // Where the answer is a common number, the last digit is the engine's own.
      if (Number.isFinite(wanted) && Math.abs(wanted) > 1e-300) expect(got / wanted).toBeCloseTo(1, 15);
      else expect(got, `of ${x}`).toBe(wanted);
    }
    expect([exp(710), exp(-746), exp(-745), exp(709.7)]).toEqual([Infinity, 0, 5e-324, Math.exp(709.7)]);
  });

  test('atan2 and hypot', () => {
    for (const y of special)
      for (const x of special) {
        expect(atan2(y, x), `atan2(${y}, ${x})`).toBe(Math.atan2(y, x));
        expect(hypot(y, x), `hypot(${y}, ${x})`).toBe(Math.hypot(y, x));
      }
    expect([hypot(), hypot(-3), hypot(0, -0)]).toEqual([0, 3, 0]);
  });

  test('any doubles at all: the same kind of answer', () => {
    const any = fc.double();
    fc.assert(
      fc.property(any, any, (a, b) => {
        for (const [ours, native] of [
          [sin(a), Math.sin(a)],
          [tanh(a), Math.tanh(a)],
          [log(a), Math.log(a)],
          [exp(a), Math.exp(a)],
          [atan2(a, b), Math.atan2(a, b)],
          [hypot(a, b), Math.hypot(a, b)],
        ]) {
          if (Object.is(ours, native)) continue;
          expect(Math.abs(ours - native)).toBeLessThanOrEqual(Math.abs(native) * 1e-15 + 5e-324);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

/** SHA-256 of 1e5 results each: another engine, or a change of one last bit, has another hash. */
const GOLDEN = {
  sin: '9124385420c832ab',
  cos: '1d2f69aaa30f0dd9',
  tan: 'd401b9c52057788f',
  exp: 'e3fc0edaa8e73cd2',
  log: 'dfef0299d71d00a3',
  tanh: '35a6584c94ef932f',
  atan2: '5109b79645077f76',
  hypot: 'a29218bdb5a01c94',
  pow: 'fc8d4a09217530fa',
};
test('the bits stay what they are', () => {
  const r = rng(key(20));
  const x = Float64Array.from({ length: 100_000 }, (_, i) => (r.uniform() - 0.5) * 2 ** ((i % 40) - 20));
  const hash = (f: (x: number, i: number) => number) =>
    createHash('sha256')
      .update(new Uint8Array(x.map(f).buffer))
      .digest('hex')
      .slice(0, 16);
  expect({
    sin: hash(sin),
    cos: hash(cos),
    tan: hash(tan),
    exp: hash((v) => exp(v / 1000)),
    log: hash((v) => log(Math.abs(v))),
    tanh: hash(tanh),
    atan2: hash((v, i) => atan2(v, x[x.length - 1 - i])),
    hypot: hash((v, i) => hypot(v, x[x.length - 1 - i], 1)),
    pow: hash((v) => pow(Math.abs(v), -2 / 3)),
  }).toEqual(GOLDEN);
});
