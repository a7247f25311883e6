/** Confidence of a success rate: Wilson's score interval (1927), honest also near 0 and 1 and for small n. */

/** The standard normal's 97.5% quantile: a two-sided 95% interval. */
const Z = 1.959963984540054;

/** @returns the 95% interval [low, high] within [0, 1]; n = 0 knows nothing: [0, 1] */
export function wilson(successes: number, n: number): [low: number, high: number] {
  if (n === 0) return [0, 1];
  const rate = successes / n;
  const shrink = 1 / (1 + (Z * Z) / n);
  const centre = shrink * (rate + (Z * Z) / (2 * n));
  const half = shrink * Z * Math.sqrt((rate * (1 - rate)) / n + (Z * Z) / (4 * n * n));
  // At 0 and n successes a bound is exactly 0 or 1; rounding must not say otherwise.
  return [successes === 0 ? 0 : centre - half, successes === n ? 1 : centre + half];
}

/** Linear interpolation between order statistics, `q` in [0, 1]; NaN for no values. */
export function percentile(values: readonly number[], q: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = Float64Array.from(values).sort();
  const at = q * (sorted.length - 1);
  const below = sorted[Math.floor(at)];
  return below + (at - Math.floor(at)) * (sorted[Math.ceil(at)] - below);
}
