/** Training: recipes, the loop, its records. */
export { pathOf, plainNames, type TrainConfig, trainConfig } from './config.ts';
export { describeSettings, settingsPage } from './describe.ts';
export { isFinished, type Metrics, readMetrics } from './metrics.ts';
export { assignments, flagSettings, readRecipe } from './recipe.ts';
export { isRun, readRun, requireNewRun } from './run.ts';
export { type Setting, type Settings, settingsIn } from './settings.ts';
export { type TrainResult, train } from './train.ts';
