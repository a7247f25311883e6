/**
 * Everything a run is defined by, as one flat mapping: the decoder's and the encoder's settings and the training's own.
 * Names are the reference's where it has one. These schemas and those they embed are the only home of defaults.
 */
import * as z from 'zod';
import { ACTION_SIZE } from '../data/index.ts';
import { DECODERS, type DecoderConfig, decoderOf, decoderSchema } from '../decoders/index.ts';
import { checkHeads, stateSchema, tokenWidth } from '../encoders/state/index.ts';
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
  batch_size: z.int().min(1).default(80).describe('chunks in one update'),
  max_steps: z.int().min(1).default(50_000).describe('updates in all'),
  learning_rate: z.number().positive().default(2e-5).describe('peak'),
  schedule_steps: z.int().min(1).optional().describe('steps the schedule stretches over; max_steps unless given'),
  warmup_fraction: fraction.default(0.05).describe('share of the schedule that warms up linearly'),
  hold_fraction: fraction.default(0.1).describe('share that stays at the peak'),
  initial_lr_scale: fraction.default(0.1).describe('rate of the first update, in peaks'),
  final_lr_scale: fraction.default(0.5).describe('rate after the schedule, in peaks'),
  weight_decay: z.number().min(0).default(0.05).describe('of matrices; none on biases, norms and PLU diagonals'),
  beta1: z.number().min(0).lt(1).default(0.9).describe('decay of the mean of the gradient'),
  beta2: z.number().min(0).lt(1).default(0.95).describe('decay of the mean of its square'),
  validation_fraction: z.number().gt(0).lt(1).default(0.05).describe('share of the episodes held out'),
  validate_every: z.int().min(1).default(1000).describe('steps between validations'),
  checkpoint_every: z.int().min(1).default(500).describe('steps between checkpoints'),
  log_every: z.int().min(1).default(50).describe('steps that a line of metrics.jsonl averages'),
});

const decoderName = z
  .enum(DECODERS.map(({ name }) => name))
  .default(DECODERS[0].name)
  .describe('action decoder: its own settings come with it');

const common = { ...stateSchema.shape, ...loopSchema.shape, ...actingSchema.shape };

const commonSchema = z.object(common);

/** What every run says; the decoder's own settings are beside these, for `decoderSettings`. */
export type TrainConfig = z.output<typeof commonSchema> & {
  readonly decoder: string;
  readonly chunk_length: number;
  readonly action_dim: number;
};

const settingsSchema = z.discriminatedUnion(
  'decoder',
  DECODERS.map(({ name, settings }) =>
    z.strictObject({ decoder: z.literal(name), ...settings.shape, ...common }),
  ) as unknown as [z.ZodObject],
) as unknown as z.ZodType<TrainConfig>;

export const trainSchema = settingsSchema.superRefine(checkTogether);

/** What must hold between settings; each message names the values. */
function checkTogether(config: TrainConfig, context: z.RefinementCtx): void {
  const wrong = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
  checkHeads(config, context);
  // The decoder's own cross-field rules, on its part of the mapping; single fields are checked already.
  const rules = decoderSchema.safeParse(decoderPart(config)).error?.issues ?? [];
  for (const { code, path, message } of rules)
    if (code === 'custom') context.addIssue({ code, path: [...path], message });
  if (config.action_dim !== ACTION_SIZE)
    wrong(
      'action_dim',
      `action_dim must be the ${ACTION_SIZE} numbers of an action in the demonstrations; got ${config.action_dim}. Leave it out.`,
    );
  if (config.multistep !== undefined && config.multistep > config.chunk_length)
    wrong(
      'multistep',
      `multistep must be at most chunk_length; got ${config.multistep} of chunks of ${config.chunk_length}`,
    );
  if (config.warmup_fraction + config.hold_fraction > 1)
    wrong(
      'hold_fraction',
      `warmup_fraction + hold_fraction must be at most 1; got ${config.warmup_fraction} + ${config.hold_fraction}`,
    );
}

/** Keys a recipe for this decoder may hold, in the order they are explained. */
const namesOf = (decoder: string) => [
  'decoder',
  ...Object.keys(decoderOf({ name: decoder }).settings.shape),
  ...Object.keys(common),
];

/** Keys that some recipe may hold. */
export const settingNames: readonly string[] = [...new Set(DECODERS.flatMap(({ name }) => namesOf(name)))];

/** @throws UsageError that lists every mistake with its place. */
export function trainConfig(settings: Settings): TrainConfig {
  const chosen = new Map([...settings].filter(([name]) => name === 'decoder'));
  const { decoder } = check(z.object({ decoder: decoderName }), ['decoder'], chosen);
  return check(
    trainSchema,
    namesOf(decoder),
    new Map([['decoder', { value: decoder, where: 'default' }], ...settings]),
  );
}

/** Every setting with its default and meaning, one a line. */
export function describeSettings(): string {
  const lines = (shape: Readonly<Record<string, z.core.$ZodType>>) =>
    Object.entries(shape as Readonly<Record<string, z.ZodType>>).map(([name, schema]) => {
      const byDefault = schema.safeParse(undefined).data;
      return `${name.padEnd(22)}${String(byDefault ?? '-').padEnd(10)}${schema.description ?? ''}`.trimEnd();
    });
  const sections = DECODERS.flatMap(({ name, settings }) => ['', `With decoder ${name}:`, ...lines(settings.shape)]);
  return `${[...lines({ decoder: decoderName, ...common }), ...sections].join('\n')}\n`;
}

/** The decoder's part of a run's configuration. */
export const decoderSettings = (config: TrainConfig): DecoderConfig => decoderSchema.parse(decoderPart(config));

/** The encoder's part. */
export const encoderSettings = (config: TrainConfig) => stateSchema.parse(pick(config, stateSchema.shape));

/** W of the encoder's tokens. */
export const widthOfTokens = (config: TrainConfig): number => tokenWidth(encoderSettings(config));

const decoderPart = (config: TrainConfig) => ({
  ...pick(config, decoderOf({ name: config.decoder }).settings.shape),
  name: config.decoder,
});

const pick = (config: TrainConfig, part: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(config).filter(([name]) => name in part));
