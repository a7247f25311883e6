/** Regression of action chunks by squared error: the ablation without a distribution. */
export { type RegressionConfig, regressionSchema } from './config.ts';
export { regression } from './decoder.ts';
export { blueprint, loss, type Params, predict } from './regression.ts';
