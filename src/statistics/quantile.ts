/** Quantiles of samples. */

/** A copy of the values in ascending order: what `quantile` reads. */
export const ascending = (values: ArrayLike<number>): Float64Array => Float64Array.from(values).sort();

/**
 * Linear interpolation between order statistics (Hyndman and Fan's type 7, NumPy's default).
 * @param sorted ascending
 * @param q in [0, 1]
 * @returns NaN for no values
 */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return Number.NaN;
  const at = q * (sorted.length - 1);
  const below = sorted[Math.floor(at)];
  return below + (at - Math.floor(at)) * (sorted[Math.ceil(at)] - below);
}

/** NaN for no values. */
export const median = (values: ArrayLike<number>): number => quantile(ascending(values), 0.5);
