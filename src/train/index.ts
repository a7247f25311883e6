/** Training: recipes, the loop, its records. */
export { describeSettings, settingNames, type TrainConfig, trainConfig, trainSchema } from './config.ts';
export { type TrainResult, train } from './loop.ts';
export { isFinished, type Metrics, readMetrics } from './metrics.ts';
export { assignments, flagSettings, readRecipe, type Setting, type Settings } from './recipe.ts';
export { isRun, readRun, requireNewRun } from './run.ts';
