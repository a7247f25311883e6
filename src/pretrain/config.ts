/** What a pretraining is made with. The schema is the only home of its defaults. */
import * as z from 'zod';
import { UsageError } from '../errors.ts';

const positive = z.int().min(1);

export const pretrainSchema = z.strictObject({
  steps: positive.default(6000).describe('updates in all'),
  seed: z.int().min(0).default(0).describe('seed of everything random'),
  batch_size: positive.default(16).describe('scenes in one update, each seen by every camera'),
  // The hand's, one of what is there, one of what is not: a report has shares of both.
  names: z.int().min(3).default(8).describe('names asked for in a scene: of what is there, and of what is not'),
  phrases: positive.default(2).describe('phrases read in a scene'),
  learning_rate: z.number().positive().default(1e-3).describe('peak learning rate'),
  warmup_fraction: z.number().min(0).max(1).default(0.04).describe('share of the steps in which the rate rises'),
  final_scale: z.number().min(0).max(1).default(0.01).describe('last learning rate, as a share of the peak'),
  weight_decay: z.number().min(0).default(0.05).describe('pull of matrices towards zero'),
  beta1: z.number().min(0).lt(1).default(0.9).describe('decay of the mean of gradients'),
  beta2: z.number().min(0).lt(1).default(0.98).describe('decay of the mean of their squares'),
  largest_gradient: z.number().positive().default(1).describe('norm above which a gradient is scaled down to it'),
  setting_in: z.number().min(0).max(1).default(0.08).describe('share of the steps in which roles and readout set in'),
  shifted: z.number().min(0).max(1).default(0.25).describe('share of the scenes whose pictures are shifted at random'),
  words_dropped: z.number().min(0).max(0.9).default(0.05).describe('share of the tokens of a phrase that are left out'),
  evaluated_scenes: z.int().min(10).multipleOf(10).default(500).describe('held-out scenes of the final report'),
  evaluate_every: positive.default(500).describe('steps between two reports on fewer scenes'),
  save_every: positive.default(100).describe('steps between two states to resume from'),
});

export type PretrainSettings = z.output<typeof pretrainSchema>;

/** @throws UsageError naming each setting that is wrong. */
export function pretrainSettings(given: Readonly<Record<string, number | string>>): PretrainSettings {
  const { data, error } = pretrainSchema.safeParse(given);
  if (data) return data;
  const sentence = ({ path, message }: z.core.$ZodIssue) => {
    const name = path.join('.');
    return `--${name} ${given[name]}: ${message}.`;
  };
  throw new UsageError(error.issues.map(sentence).join(' '));
}
