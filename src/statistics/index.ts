/** Estimates from samples. A leaf: it knows nothing of policies. */
export { percentile, wilson } from './wilson.ts';
