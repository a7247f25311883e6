/** How well a number tells two groups apart: the area under the ROC curve, with an interval that respects episodes. */
import { type Key, rng } from '../random.ts';
import { ascending, quantile } from '../statistics/index.ts';

/**
 * The probability that a random number of `positive` is larger than one of `negative`, ties counting half
 * (Mann-Whitney): 1 separates, 0.5 says nothing, 0 is exactly wrong. NaN when a group is empty.
 */
export function auroc(positive: readonly number[], negative: readonly number[]): number {
  const sorted = Float64Array.from(negative).sort();
  const below = positive.reduce((sum, x) => sum + (bound(sorted, x, false) + bound(sorted, x, true)) / 2, 0);
  return below / (positive.length * negative.length);
}

/** How many of the sorted values are less than x, or at most x. */
function bound(sorted: Float64Array, x: number, inclusive: boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < x || (inclusive && sorted[middle] === x)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What one episode contributes: the same episode disturbed and not. */
export interface Pair {
  readonly positive: readonly number[];
  readonly negative: readonly number[];
}

export interface Area {
  /** Null when a group is empty. */
  auroc: number | null;
  /** Percentile bootstrap over episodes, 95%: the chunks of an episode are not independent. Null when a group is empty. */
  interval: [low: number, high: number] | null;
  /** Episodes. */
  n: number;
}

const RESAMPLES = 1000;

/** The area over the numbers of all episodes, with its interval. */
export function areaOver(pairs: readonly Pair[], key: Key): Area {
  const of = (chosen: readonly Pair[]) =>
    auroc(
      chosen.flatMap(({ positive }) => positive),
      chosen.flatMap(({ negative }) => negative),
    );
  const random = rng(key);
  // A resample without one of the groups says nothing.
  const resampled = ascending(
    Array.from({ length: pairs.length === 0 ? 0 : RESAMPLES }, () => of(pairs.map(() => random.pick(pairs)))).filter(
      (area) => !Number.isNaN(area),
    ),
  );
  const all = of(pairs);
  return {
    auroc: Number.isNaN(all) ? null : all,
    interval: resampled.length === 0 ? null : [quantile(resampled, 0.025), quantile(resampled, 0.975)],
    n: pairs.length,
  };
}
