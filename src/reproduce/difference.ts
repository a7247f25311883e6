/** How far two success rates are apart, with an interval: Newcombe's hybrid score interval (1998, method 10). */
import { hypot } from '../math.ts';
import type { Rate } from '../rollout/episodes.ts';

export interface Difference {
  /** First rate minus second. */
  readonly rate: number;
  /** 95%, from the Wilson intervals of both rates as if their rollouts were independent. */
  readonly interval: readonly [low: number, high: number];
}

export function difference(first: Rate, second: Rate): Difference {
  const rate = first.success_rate - second.success_rate;
  const [low1, high1] = first.interval;
  const [low2, high2] = second.interval;
  const below = hypot(first.success_rate - low1, high2 - second.success_rate);
  const above = hypot(high1 - first.success_rate, second.success_rate - low2);
  return { rate, interval: [rate - below, rate + above] };
}
