/**
 * Everything a run is defined by, as one flat mapping: the decoder's and the encoder's settings and the training's own.
 * Names are the reference's where it has one. This schema and the two it embeds are the only home of defaults.
 */
import * as z from 'zod';
import { ACTION_SIZE } from '../data/index.ts';
import { ninaSchema } from '../decoders/nina/index.ts';
import { checkHeads, stateSchema } from '../encoders/state/index.ts';
import { check, type Settings } from './recipe.ts';

const fraction = z.number().min(0).max(1);

/** How the trained policy acts where nobody says otherwise. */
const actingSchema = z.strictObject({
  multistep: z.int().min(1).optional().describe('actions of a chunk to execute; all unless given'),
  temperature: z.number().min(0).default(1).describe('scale of the sampling noise'),
});

const loopSchema = z.strictObject({
  data: z.string().optional().describe('folder or file of demonstrations'),
  seed: z.int().min(0).default(0).describe('every random number of the run follows from it'),
  threads: z.int().min(1).max(64).default(1).describe('threads inside one operation'),
  batch_size: z.int().min(1).default(80),
  max_steps: z.int().min(1).default(50_000).describe('updates in all'),
  learning_rate: z.number().positive().default(2e-5).describe('peak'),
  schedule_steps: z.int().min(1).optional().describe('steps the schedule stretches over; max_steps unless given'),
  warmup_fraction: fraction.default(0.05).describe('share of the schedule that warms up linearly'),
  hold_fraction: fraction.default(0.1).describe('share that stays at the peak'),
  initial_lr_scale: fraction.default(0.1).describe('rate of the first update, in peaks'),
  final_lr_scale: fraction.default(0.5).describe('rate after the schedule, in peaks'),
  weight_decay: z.number().min(0).default(0.05).describe('of matrices; none on biases, norms and PLU diagonals'),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.95),
  validation_fraction: z.number().gt(0).lt(1).default(0.05).describe('share of the episodes held out'),
  validate_every: z.int().min(1).default(1000).describe('steps between validations'),
  checkpoint_every: z.int().min(1).default(500).describe('steps between checkpoints'),
  log_every: z.int().min(1).default(50).describe('steps that a line of metrics.jsonl averages'),
});

const shape = { ...ninaSchema.shape, ...stateSchema.shape, ...loopSchema.shape, ...actingSchema.shape };

/** Keys a recipe may hold, in the order they are explained. */
export const settingNames: readonly string[] = Object.keys(shape);

const checked = z.strictObject(shape);

export type TrainConfig = z.output<typeof checked>;

export const trainSchema = checked.superRefine((config, context) => {
  checkHeads(config, context);
  // The decoder's own cross-field rules, on its part of the mapping.
  const rules = ninaSchema.safeParse(pick(config, ninaSchema.shape));
  for (const { path, message } of rules.error?.issues ?? [])
    context.addIssue({ code: 'custom', path: [...path], message });
  if (config.action_dim !== ACTION_SIZE)
    context.addIssue({
      code: 'custom',
      path: ['action_dim'],
      message: `action_dim must be the ${ACTION_SIZE} numbers of an action in the demonstrations; got ${config.action_dim}. Leave it out.`,
    });
  if ((config.multistep ?? 1) > config.chunk_length)
    context.addIssue({
      code: 'custom',
      path: ['multistep'],
      message: `multistep must be at most chunk_length; got ${config.multistep} of chunks of ${config.chunk_length}`,
    });
  if (config.warmup_fraction + config.hold_fraction > 1)
    context.addIssue({
      code: 'custom',
      path: ['hold_fraction'],
      message: `warmup_fraction + hold_fraction must be at most 1; got ${config.warmup_fraction} + ${config.hold_fraction}`,
    });
});

/** @throws UsageError that lists every mistake with its place. */
export function trainConfig(settings: Settings): TrainConfig {
  return check(trainSchema, settingNames, settings);
}

/** Every setting with its default and meaning, one a line. */
export function describeSettings(): string {
  return Object.entries<z.ZodType>(shape)
    .map(([name, schema]) => {
      const byDefault = schema.safeParse(undefined).data;
      return `${name.padEnd(22)}${String(byDefault ?? '-').padEnd(10)}${schema.description ?? ''}`.trimEnd();
    })
    .join('\n')
    .concat('\n');
}

/** The decoder's part of a run's configuration. */
export const decoderSettings = (config: TrainConfig) => ninaSchema.parse(pick(config, ninaSchema.shape));

/** The encoder's part. */
export const encoderSettings = (config: TrainConfig) => stateSchema.parse(pick(config, stateSchema.shape));

const pick = (config: TrainConfig, part: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(config).filter(([name]) => name in part));
