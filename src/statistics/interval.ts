/** How well what was measured is known: 95% intervals of a rate, of the difference of two, and of a mean. */
import { hypot, square } from '../math.ts';

/** The standard normal's 97.5% quantile: a two-sided 95% interval. */
const Z = 1.959963984540054;

export type Interval = readonly [low: number, high: number];

/** A share of successes, as every table and file tells it. */
export interface Rate {
  n: number;
  successes: number;
  success_rate: number;
  /** Wilson, 95%. */
  interval: [low: number, high: number];
}

/** The share of successes among n of at least 1, with its interval. */
export function rate(successes: number, n: number): Rate {
  return { n, successes, success_rate: successes / n, interval: wilson(successes, n) };
}

/**
 * Wilson's score interval (1927) of a rate, honest also near 0 and 1 and for small n.
 * @returns the 95% interval [low, high] within [0, 1]; n = 0 knows nothing: [0, 1]
 */
export function wilson(successes: number, n: number): [low: number, high: number] {
  if (n === 0) return [0, 1];
  const rate = successes / n;
  const shrink = 1 / (1 + (Z * Z) / n);
  const centre = shrink * (rate + (Z * Z) / (2 * n));
  const half = shrink * Z * Math.sqrt((rate * (1 - rate)) / n + (Z * Z) / (4 * n * n));
  // At 0 and n successes a bound is exactly 0 or 1; rounding must not say otherwise.
  return [successes === 0 ? 0 : centre - half, successes === n ? 1 : centre + half];
}

export interface Difference {
  /** First rate minus second. */
  readonly rate: number;
  /** 95%, from the Wilson intervals of both rates as if they were independent. */
  readonly interval: Interval;
}

/** How far two rates are apart: Newcombe's hybrid score interval (1998, method 10). */
export function difference(first: Rate, second: Rate): Difference {
  const rate = first.success_rate - second.success_rate;
  const [low1, high1] = first.interval;
  const [low2, high2] = second.interval;
  const below = hypot(first.success_rate - low1, high2 - second.success_rate);
  const above = hypot(high1 - first.success_rate, second.success_rate - low2);
  return { rate, interval: [rate - below, rate + above] };
}

export interface Mean {
  /** Null of no values. */
  mean: number | null;
  /** 95% by the central limit theorem; null of fewer than two values. */
  interval: [low: number, high: number] | null;
  n: number;
}

/** The mean of any values, and how well it is known. */
export function mean(values: readonly number[]): Mean {
  const n = values.length;
  const mean = values.reduce((a, b) => a + b, 0) / n;
  const variance = values.reduce((sum, x) => sum + square(x - mean), 0) / (n - 1);
  const half = Z * Math.sqrt(variance / n);
  return { mean: n === 0 ? null : mean, interval: n < 2 ? null : [mean - half, mean + half], n };
}
