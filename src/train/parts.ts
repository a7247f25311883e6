/**
 * The encoders and decoders that a recipe may name, and the way from its sections to a policy's configuration: what the
 * data and the robot determine (vocabulary, width of a token, numbers of an action) is no setting and is filled in here.
 */
import * as z from 'zod';
import { ACTION_SIZE, type Episode } from '../data/index.ts';
import { type DecoderConfig, decoderSchema, decoderShapes } from '../decoders/index.ts';
import { configFor, type StateConfig, type StateSettings, stateSchema, tokenWidth } from '../encoders/state/index.ts';

/** A section that names a member of a registry, with the settings that come with that name. */
export type Chosen = Readonly<{ name: string } & Record<string, unknown>>;

/** A member of a registry, as recipes see it. */
export interface Part {
  readonly settings: z.ZodObject;
}

const state = stateSchema.shape;
const stateSettings = z
  .strictObject({
    dim: state.encoder_dim,
    heads: state.encoder_heads.describe('attention heads; must divide dim'),
    blocks: state.encoder_blocks,
    dropout: state.encoder_dropout,
  })
  .superRefine(({ dim, heads }, context) => {
    const message = `heads must divide dim; got ${heads} heads for a width of ${dim}`;
    if (dim % heads !== 0) context.addIssue({ code: 'custom', path: ['heads'], message });
  });

export const ENCODERS: Readonly<Record<string, Part>> = { state: { settings: stateSettings } };

const { action_dim: _, ...nina } = decoderShapes.nina;
const { action_dim: __, embed_dim: ___, ...flower } = decoderShapes.flower;
const { action_dim: ____, ...regression } = decoderShapes.regression;

export const DECODERS: Readonly<Record<string, Part>> = {
  nina: { settings: z.strictObject(nina) },
  flower: { settings: z.strictObject(flower) },
  regression: { settings: z.strictObject(regression) },
};

/** What is wrong with a section as a whole: paths are of its settings. */
type Rules = readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];

/** Single settings are checked where they are given: only what must hold between them is left. */
const rulesOf = (schema: z.ZodType, value: unknown): Rules =>
  (schema.safeParse(value).error?.issues ?? []).filter(({ code }) => code === 'custom');

export const encoderRules = ({ name, ...settings }: Chosen): Rules => rulesOf(ENCODERS[name].settings, settings);

export const decoderRules = (encoder: Chosen, decoder: Chosen): Rules =>
  rulesOf(decoderSchema, decoderConfig(encoder, decoder));

/** The encoder for these scenes: its vocabulary and limits are theirs. */
export const encoderConfig = (
  encoder: Chosen,
  scenes: readonly Pick<Episode, 'instruction' | 'categories'>[],
): StateConfig => configFor(ofState(encoder), scenes);

/** The decoder of what this encoder makes. */
export function decoderConfig(encoder: Chosen, { name, ...settings }: Chosen): DecoderConfig {
  const width = name === 'flower' && { embed_dim: tokenWidth(ofState(encoder)) };
  return { ...settings, decoder: name, action_dim: ACTION_SIZE, ...width } as DecoderConfig;
}

const ofState = ({ dim, heads, blocks, dropout }: Chosen) =>
  ({ encoder_dim: dim, encoder_heads: heads, encoder_blocks: blocks, encoder_dropout: dropout }) as StateSettings;
