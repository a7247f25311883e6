/** Estimates from samples. A leaf: it knows nothing of policies. */
export { type Difference, difference, type Interval, type Mean, mean, type Rate, rate, wilson } from './interval.ts';
export { ascending, median, quantile } from './quantile.ts';
