/** What defines a state encoder: the sizes a person chooses, and the vocabulary and limits that its training data set. */
import * as z from 'zod';

/** Chosen by a recipe; the only home of the defaults. */
export const stateSchema = z.strictObject({
  encoder_dim: z.int().min(8).max(1024).default(64).describe('width E of an entity'),
  encoder_heads: z.int().min(1).default(4).describe('attention heads; must divide encoder_dim'),
  encoder_blocks: z.int().min(0).max(8).default(1).describe('blocks of self-attention between the entities'),
  encoder_dropout: z.number().min(0).max(0.9).default(0).describe('dropout inside the encoder and on its token'),
});

/** Measured on the training data. */
const dataSchema = z.strictObject({
  words: z
    .array(z.string().min(1))
    .min(1)
    .refine((words) => new Set(words).size === words.length, 'wanted every word once')
    .describe('every word of the instructions and categories, sorted'),
  max_words: z.int().min(1).describe('longest instruction, in words'),
  max_entities: z.int().min(1).max(1000).describe('most entities in one scene'),
});

export const stateConfigSchema = z.strictObject({ ...stateSchema.shape, ...dataSchema.shape }).superRefine(checkHeads);

/** The cross-field rule of both schemas: attention splits the width evenly. */
export function checkHeads(
  { encoder_dim, encoder_heads }: { encoder_dim: number; encoder_heads: number },
  context: z.RefinementCtx,
): void {
  if (encoder_dim % encoder_heads !== 0)
    context.addIssue({
      code: 'custom',
      path: ['encoder_heads'],
      message: `encoder_heads must divide encoder_dim; got ${encoder_heads} heads for a width of ${encoder_dim}`,
    });
}

export type StateSettings = z.output<typeof stateSchema>;
export type StateConfig = z.output<typeof stateConfigSchema>;
