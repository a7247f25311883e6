/**
 * The configuration of a NinA decoder, its names those of the reference's flags. The only home of its defaults, which
 * are the paper's best MLP; the paper's best Transformer is { backbone: 'trans', n_layers: 18, affine_dim: 256 }.
 */
import * as z from 'zod';
import { actionSize, PANDA } from '../../robot/index.ts';

const positive = z.int().min(1);

export const ninaSettings = z.strictObject({
  backbone: z
    .enum(['mlp', 'trans'])
    .default('mlp')
    .describe('conditioner: two perceptrons on scalars (mlp), or one Transformer on time steps (trans)'),
  n_layers: positive.max(256).default(28).describe('layers of [permutation, coupling, invertible linear map]'),
  affine_dim: positive.default(64).describe('width H of the conditioner'),
  block_depth: positive.max(64).default(3).describe('attention sub-blocks in each trans conditioner'),
  n_heads: positive.default(8).describe('attention heads of a trans conditioner'),
  use_plu: z
    .boolean()
    .default(true)
    .describe('with the linear maps: PLU, a permutation times a lower and an upper triangular matrix'),
  action_noise_mult: z
    .number()
    .min(0)
    .default(0.03)
    .describe('standard deviation of the noise on expert actions, which are in [-1, 1]'),
  /**
   * Clamp the noisy actions to [-1, 1] as the reference does. That leaves probability mass exactly on the bounds, so
   * the likelihood has no upper limit there and is comparable only between runs that clamp alike.
   */
  clamp_noise: z.boolean().default(true).describe('clamp the noisy actions to [-1, 1]'),
  dropout: z.number().min(0).lt(1).default(0.1).describe('in the trans conditioner; the perceptrons have none'),
  cond_dim: positive.default(256).describe('width C of the condition'),
  chunk_length: positive.default(10).describe('control steps T of a chunk'),
  action_dim: positive.default(actionSize(PANDA)).describe('numbers A of an action'),
});

export type NinaConfig = z.infer<typeof ninaSettings>;

/** What must hold between the fields; each message names the values. */
export function checkNina(c: NinaConfig, context: z.RefinementCtx): void {
  const wrong = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
  if (c.backbone === 'trans' && c.chunk_length % 2 !== 0)
    wrong(
      'chunk_length',
      `The trans backbone splits a chunk into two halves of time steps: chunk_length must be even; got chunk_length ${c.chunk_length} with backbone ${c.backbone}. Use ${c.chunk_length + 1}, or backbone mlp.`,
    );
  if (c.backbone === 'mlp' && (c.chunk_length * c.action_dim) % 2 !== 0)
    wrong(
      'chunk_length',
      `The mlp backbone splits a chunk into two halves of scalars: chunk_length x action_dim must be even; got chunk_length ${c.chunk_length} x action_dim ${c.action_dim}. Use chunk_length ${c.chunk_length + 1}.`,
    );
  if (c.backbone === 'trans' && c.affine_dim % c.n_heads !== 0)
    wrong(
      'n_heads',
      `The trans backbone splits its width into heads: affine_dim must be divisible by n_heads; got affine_dim ${c.affine_dim} and n_heads ${c.n_heads}.`,
    );
}

export const ninaSchema = ninaSettings.superRefine(checkNina);
