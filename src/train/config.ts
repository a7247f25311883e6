/**
 * Everything a run is defined by: data and seed, and the sections `encoder`, `decoder`, `training` and `acting`, each of
 * which is passed on as it is. Names are the reference's where it has one. The schemas here and those of the encoders and
 * decoders are the only home of defaults.
 */
import * as z from 'zod';
import { encoderOf } from '../encoders/index.ts';
import { withInit } from './init.ts';
import { type Chosen, DECODERS, decoderRules, ENCODERS, encoderRules, type Part } from './parts.ts';
import { check, join, type Settings, settingsIn, settingsOfSchema, split } from './settings.ts';

const fraction = z.number().min(0).max(1);

const trainingSchema = z.strictObject({
  threads: z.int().min(1).max(64).default(1).describe('threads inside one operation'),
  batch_size: z.int().min(1).default(80).describe('chunks in one update'),
  max_steps: z.int().min(1).default(50_000).describe('updates in all'),
  learning_rate: z.number().positive().default(2e-5).describe('peak'),
  schedule_steps: z.int().min(1).optional().describe('steps the schedule stretches over; max_steps unless given'),
  warmup_fraction: fraction.default(0.05).describe('share of the schedule that warms up linearly'),
  hold_fraction: fraction.default(0.1).describe('share that stays at the peak'),
  initial_lr_scale: fraction.default(0.1).describe('rate of the first update, in peaks'),
  final_lr_scale: fraction.default(0.5).describe('rate after the schedule, in peaks'),
  encoder_rate: z.number().min(0).default(1).describe("rate of the encoder's parameters, in those of the others"),
  freeze: z
    .enum(['none', 'trunk', 'encoder'])
    .default('none')
    .describe(
      'what stays as it begins: the part that sees pictures alone, or the whole encoder; computed once per frame',
    ),
  weight_decay: z
    .number()
    .min(0)
    .default(0.05)
    .describe('of matrices; none on biases, norms and the diagonals of linear maps'),
  beta1: z.number().min(0).lt(1).default(0.9).describe('decay of the mean of the gradient'),
  beta2: z.number().min(0).lt(1).default(0.95).describe('decay of the mean of its square'),
  validation_fraction: z.number().gt(0).lt(1).default(0.05).describe('share of the episodes held out'),
  validate_every: z.int().min(1).default(1000).describe('steps between validations'),
  checkpoint_every: z.int().min(1).default(500).describe('steps between checkpoints'),
  log_every: z.int().min(1).default(50).describe('steps that a line of metrics.jsonl averages'),
});

/** How the trained policy acts where nobody says otherwise. */
const actingSchema = z.strictObject({
  multistep: z.int().min(1).optional().describe('actions of a chunk to execute; all unless given'),
  temperature: z.number().min(0).default(1).describe('scale of the sampling noise'),
});

const recipeShape = {
  data: z.string().optional().describe('folder or file of demonstrations'),
  seed: z.int().min(0).default(0).describe('every random number of the run follows from it'),
  init: z
    .string()
    .optional()
    .describe(
      "checkpoint, run or encoder's folder to begin with, or weights of this package; what the recipe leaves out is as there",
    ),
  init_weights: z.boolean().default(true).describe('false: only the configuration and tokenizer of init'),
};

/** A recipe, complete. */
export interface TrainConfig extends Readonly<z.output<z.ZodObject<typeof recipeShape>>> {
  readonly encoder: Chosen;
  /** Every decoder answers with chunks of a length. */
  readonly decoder: Chosen & { readonly chunk_length: number };
  readonly training: TrainingSettings;
  readonly acting: Readonly<z.output<typeof actingSchema>>;
}

export type TrainingSettings = Readonly<z.output<typeof trainingSchema>>;

/** The schema of recipes that name this encoder and this decoder, which bring their settings. */
export const recipeSchema = (encoder: unknown = standard(ENCODERS), decoder: unknown = standard(DECODERS)) =>
  z
    .strictObject({
      ...recipeShape,
      encoder: section(ENCODERS, encoder),
      decoder: section(DECODERS, decoder),
      training: trainingSchema.prefault({}),
      acting: actingSchema.prefault({}),
    })
    .superRefine((config, context) => checkTogether(config as TrainConfig, context));

/** The member that a recipe without a name means: the first. */
const standard = (registry: Readonly<Record<string, Part>>) => Object.keys(registry)[0];

/** The settings of the chosen member. A name that is none's is a mistake, and the settings beside it are not judged. */
function section(registry: Readonly<Record<string, Part>>, chosen: unknown) {
  const name = z.enum(Object.keys(registry)).default(standard(registry)).describe('its other settings come with it');
  if (typeof chosen !== 'string' || !Object.hasOwn(registry, chosen)) return z.looseObject({ name }).prefault({});
  return z.strictObject({ name, ...registry[chosen].settings.shape }).prefault({});
}

/** What must hold between settings; each message names the values. */
function checkTogether(
  { encoder, decoder, training, acting, init, init_weights }: TrainConfig,
  context: z.RefinementCtx,
): void {
  const wrong = (path: PropertyKey[], message: string) => context.addIssue({ code: 'custom', path, message });
  for (const { path, message } of encoderRules(encoder)) wrong(['encoder', ...path], message);
  const { assets, trunk } = encoderOf(encoder);
  if (assets.length > 0 && init === undefined)
    wrong(
      ['init'],
      `the encoder ${encoder.name} needs ${assets.join(', ')}, which comes with weights: name the folder of an imported encoder or of a checkpoint (with init_weights false its weights are not taken)`,
    );
  if (training.freeze === 'trunk' && !trunk)
    wrong(
      ['training', 'freeze'],
      `the encoder ${encoder.name} has no part that sees pictures alone, so wanted 'none' or 'encoder'; got 'trunk'`,
    );
  if (training.freeze !== 'none' && (init === undefined || !init_weights))
    wrong(
      ['training', 'freeze'],
      `what is frozen stays as it begins, so it needs weights to begin with: init; got '${training.freeze}' with init ${init ?? 'not given'}, init_weights ${init_weights}`,
    );
  for (const { path, message } of decoderRules(decoder)) wrong(['decoder', ...path], message);
  if (acting.multistep !== undefined && acting.multistep > decoder.chunk_length)
    wrong(
      ['acting', 'multistep'],
      `multistep must be at most chunk_length; got ${acting.multistep} of chunks of ${decoder.chunk_length}`,
    );
  if (training.warmup_fraction + training.hold_fraction > 1)
    wrong(
      ['training', 'hold_fraction'],
      `warmup_fraction + hold_fraction must be at most 1; got ${training.warmup_fraction} + ${training.hold_fraction}`,
    );
}

/** Sections that name a member of a registry. */
const SECTIONS: readonly string[] = ['encoder', 'decoder'];

/** Every path that some recipe may hold; of two with one name at the end, the one that a plain name means comes last. */
const PATHS: readonly string[] = [
  ...paths('encoder', ...Object.values(ENCODERS).map(({ settings }) => settings)),
  ...paths('acting', actingSchema),
  ...paths('training', trainingSchema),
  ...paths('decoder', ...Object.values(DECODERS).map(({ settings }) => settings)),
  ...Object.keys(recipeShape),
];

function paths(section: string, ...schemas: readonly z.ZodObject[]): string[] {
  return [...new Set(schemas.flatMap(({ shape }) => Object.keys(shape)))].map((name) => join(section, name));
}

const BY_NAME: ReadonlyMap<string, string> = new Map(PATHS.map((path) => [split(path)[1], path]));

/**
 * The path of a setting that is named without its section, as the paper's flags are: 'n_layers' -> 'decoder.n_layers',
 * 'decoder' -> 'decoder.name'. Of two sections that have the name the decoder comes first, then training, acting, encoder.
 */
export const pathOf = (name: string): string | undefined =>
  SECTIONS.includes(name) ? join(name, 'name') : BY_NAME.get(name);

/** Names without a section, as the command line takes them. */
export const plainNames: readonly string[] = [...SECTIONS, ...BY_NAME.keys()];

/**
 * A complete recipe. What `init` names must be there: what the settings leave out is as there.
 * @throws UsageError that lists every mistake with its place.
 */
export const trainConfig = (settings: Settings): TrainConfig => completeConfig(withInit(settings));

/** Of settings that leave out nothing of `init`, such as those of a started run. */
export function completeConfig(settings: Settings): TrainConfig {
  // A name in place of the whole section is a mistake of its own; what stands beside it is judged as meant.
  const named = (section: string) => (settings.get(join(section, 'name')) ?? settings.get(section))?.value;
  const chosen = (section: string) => (typeof named(section) === 'object' ? undefined : named(section));
  return check(recipeSchema(chosen('encoder'), chosen('decoder')), settings, BY_NAME) as TrainConfig;
}

/** The settings of a complete recipe, by path; null for those that were not given. */
export function settingsByPath({ encoder, decoder, ...config }: TrainConfig): Record<string, unknown> {
  const all = settingsOfSchema(recipeSchema(encoder.name, decoder.name)).keys();
  const given = settingsIn({ encoder, decoder, ...config }, '');
  return Object.fromEntries([...all].map((path) => [path, given.get(path)?.value ?? null]));
}
