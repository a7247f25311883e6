/**
 * The configuration of a FLOWER decoder, its names those of the reference. The only home of its defaults, which are the
 * paper's Diffusion 330M.
 */
import * as z from 'zod';
import { actionSize, PANDA } from '../../robot/index.ts';

const positive = z.int().min(1);

/** How training draws the time t of each chunk; see times.ts. */
export const SAMPLING_TYPES = ['uniform', 'ln', 'pi_zero'] as const;

export const flowerSettings = z.strictObject({
  dit_dim: positive.default(1024).describe('width d of the Transformer'),
  n_heads: positive.default(16).describe('attention heads'),
  n_layers: positive.max(256).default(18).describe('blocks of the Transformer'),
  rope_theta: z.number().positive().default(32).describe("base of the rotary embedding's angles"),
  num_sampling_steps: positive.max(1000).default(4).describe('Euler steps N of a sample'),
  sampling_type: z.enum(SAMPLING_TYPES).default('uniform').describe('how training draws the time of each chunk'),
  dropout: z
    .number()
    .min(0)
    .lt(1)
    .default(0.1)
    .describe("of attention weights, of what attention adds, and of the perceptrons' hidden layer"),
  chunk_length: positive.default(10).describe('control steps T of a chunk'),
  action_dim: positive.default(actionSize(PANDA)).describe('numbers A of an action'),
});

export type FlowerConfig = z.infer<typeof flowerSettings>;

/** What must hold between the fields; the message names the values. */
export function checkFlower({ dit_dim, n_heads }: FlowerConfig, context: z.RefinementCtx): void {
  if (dit_dim % (2 * n_heads) !== 0)
    context.addIssue({
      code: 'custom',
      path: ['n_heads'],
      message: `The Transformer splits its width into heads, and the rotary embedding each head into two halves: dit_dim must be divisible by 2 x n_heads; got dit_dim ${dit_dim} and n_heads ${n_heads}.`,
    });
}

export const flowerSchema = flowerSettings.superRefine(checkFlower);

/** The two sizes of the NinA paper's comparison; settings to parse with the schema. */
export const CONFIGURATIONS = {
  'diffusion-330m': { dit_dim: 1024 },
  'diffusion-31m': { dit_dim: 256 },
} as const satisfies Record<string, z.input<typeof flowerSchema>>;
