/** Grounding pretraining: what the `nina pretrain` command does. */
export { beginPretraining, resumePretraining } from './begin.ts';
export { type PretrainSettings, pretrainSchema } from './config.ts';
export type { GroundingReport, ReadoutReport, ViewReport } from './evaluate.ts';
export { isPretraining, type Pretraining, readPretraining } from './folder.ts';
export { type PretrainOptions, type PretrainResult, pretrain } from './pretrain.ts';
