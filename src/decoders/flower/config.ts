/**
 * The configuration of a FLOWER decoder, its names those of the reference. The only home of its defaults, which are the
 * paper's Diffusion 330M.
 */
import { z } from 'zod';

const positive = z.int().min(1);

/** How training draws the time t of each chunk; see times.ts. */
export const SAMPLING_TYPES = ['uniform', 'ln', 'pi_zero', 'stratified', 'loglogistic'] as const;

const shape = z.strictObject({
  /** d, the width of the Transformer. */
  dit_dim: positive.default(1024),
  n_heads: positive.default(16),
  n_layers: positive.default(18),
  /** E, the width of the encoder's tokens. */
  embed_dim: positive.default(1024),
  /** Base of the rotary embedding's angles. */
  rope_theta: z.number().positive().default(32),
  /** N, the Euler steps of a sample. */
  num_sampling_steps: positive.default(4),
  sampling_type: z.enum(SAMPLING_TYPES).default('uniform'),
  /** Of attention weights, of what attention adds to a token, and of the perceptrons' hidden layer. */
  dropout: z.number().min(0).lt(1).default(0.1),
  /** T, the control steps of a chunk. */
  chunk_length: positive.default(10),
  /** A, the numbers of an action. */
  action_dim: positive.default(7),
});

export type FlowerConfig = z.infer<typeof shape>;

/** What must hold between the fields; the message names the values. */
export function checkFlower({ dit_dim, n_heads }: FlowerConfig, context: z.RefinementCtx): void {
  if (dit_dim % (2 * n_heads) !== 0)
    context.addIssue({
      code: 'custom',
      path: ['n_heads'],
      message: `The Transformer splits its width into heads, and the rotary embedding each head into two halves: dit_dim must be divisible by 2 x n_heads; got dit_dim ${dit_dim} and n_heads ${n_heads}.`,
    });
}

export const flowerSchema = shape.superRefine(checkFlower);

/** The two sizes of the NinA paper's comparison; settings to parse with the schema. */
export const CONFIGURATIONS = {
  'diffusion-330m': { dit_dim: 1024 },
  'diffusion-31m': { dit_dim: 256 },
} as const satisfies Record<string, z.input<typeof flowerSchema>>;
