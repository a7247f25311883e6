/** The configuration of a regression decoder: the ablation that asks what a density is worth. The only home of its defaults. */
import { z } from 'zod';

const positive = z.int().min(1);

export const regressionSchema = z.strictObject({
  /** Width H of the perceptron. */
  hidden_dim: positive.default(512),
  /** Hidden layers. */
  n_layers: positive.default(3),
  /** C, the width of the condition. */
  cond_dim: positive.default(256),
  /** T, the control steps of a chunk. */
  chunk_length: positive.default(10),
  /** A, the numbers of an action. */
  action_dim: positive.default(7),
});

export type RegressionConfig = z.infer<typeof regressionSchema>;
