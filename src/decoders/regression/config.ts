/** The configuration of a regression decoder: the ablation that asks what a density is worth. The only home of its defaults. */
import * as z from 'zod';
import { actionSize, PANDA } from '../../robot/index.ts';

const positive = z.int().min(1);

export const regressionSchema = z.strictObject({
  hidden_dim: positive.default(512).describe('width H of the perceptron'),
  n_layers: positive.max(256).default(3).describe('hidden layers'),
  cond_dim: positive.default(256).describe('width C of the condition'),
  chunk_length: positive.default(10).describe('control steps T of a chunk'),
  action_dim: positive.default(actionSize(PANDA)).describe('numbers A of an action'),
});

export type RegressionConfig = z.infer<typeof regressionSchema>;
