/** What defines a state encoder: the sizes a person chooses, and what its training data and robot determine. */
import * as z from 'zod';
import { POSE_SIZE } from '../../robot/index.ts';

const settingsShape = {
  dim: z.int().min(8).max(1024).default(64).describe('width E of an entity'),
  heads: z.int().min(1).default(4).describe('attention heads; must divide dim'),
  blocks: z.int().min(0).max(8).default(1).describe('blocks of self-attention between the entities'),
  dropout: z.number().min(0).max(0.9).default(0).describe('dropout inside the encoder and on its token'),
};

const dataShape = {
  words: z
    .array(z.string().min(1))
    .min(1)
    .refine((words) => new Set(words).size === words.length, 'wanted every word once')
    .describe('every word of the instructions and categories, sorted'),
  max_words: z.int().min(1).describe('longest instruction, in words'),
  max_entities: z.int().min(1).max(1000).describe('most entities in one scene'),
};

const robotShape = {
  state_size: z.int().min(1).describe('P, numbers of the robot state'),
  end_effector: z
    .int()
    .min(0)
    .optional()
    .describe('where in the state the pose of the end effector is, which offsets to entities are relative to'),
};

/** Chosen by a recipe; the only home of the defaults. */
export const stateSettingsSchema = z.strictObject(settingsShape).superRefine(checkHeads);

export const stateConfigSchema = z
  .strictObject({ name: z.literal('state'), ...settingsShape, ...dataShape, ...robotShape })
  .superRefine(checkHeads)
  .superRefine(({ state_size, end_effector }, context) => {
    if (end_effector !== undefined && end_effector + POSE_SIZE > state_size)
      context.addIssue({
        code: 'custom',
        path: ['end_effector'],
        message: `the ${POSE_SIZE} numbers of a pose from ${end_effector} on do not fit into a state of ${state_size}`,
      });
  });

/** Attention splits the width evenly. */
function checkHeads({ dim, heads }: { dim: number; heads: number }, context: z.RefinementCtx): void {
  if (dim % heads !== 0)
    context.addIssue({
      code: 'custom',
      path: ['heads'],
      message: `heads must divide dim; got ${heads} heads for a width of ${dim}`,
    });
}

export type StateSettings = z.output<typeof stateSettingsSchema>;
export type StateConfig = z.output<typeof stateConfigSchema>;
