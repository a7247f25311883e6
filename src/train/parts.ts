/**
 * The encoders and decoders that a recipe may name, and the way from its sections to a policy's configuration: what the
 * data and the robot determine (vocabulary, width of a token, numbers of an action) is no setting and is filled in here.
 */
import * as z from 'zod';
import { ACTION_SIZE, type Episode } from '../data/index.ts';
import { DECODERS as ALL_DECODERS, type DecoderConfig, decoderSchema } from '../decoders/index.ts';
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

export const DECODERS: Readonly<Record<string, Part>> = Object.fromEntries(
  ALL_DECODERS.map((decoder) => [decoder.name, decoder]),
);

/** What is wrong with a section as a whole: paths are of its settings. */
type Rules = readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];

/** Single settings are checked where they are given: only what must hold between them is left. */
const rulesOf = (schema: z.ZodType, value: unknown): Rules =>
  (schema.safeParse(value).error?.issues ?? []).filter(({ code }) => code === 'custom');

export const encoderRules = ({ name, ...settings }: Chosen): Rules => rulesOf(ENCODERS[name].settings, settings);

export const decoderRules = (decoder: Chosen): Rules => rulesOf(decoderSchema, decoderConfig(decoder));

/** The encoder for these scenes: its vocabulary and limits are theirs. */
export const encoderConfig = (
  encoder: Chosen,
  scenes: readonly Pick<Episode, 'instruction' | 'categories'>[],
): StateConfig => configFor(ofState(encoder), scenes);

export const decoderConfig = (decoder: Chosen): DecoderConfig =>
  ({ ...decoder, action_dim: ACTION_SIZE }) as unknown as DecoderConfig;

/** W of the encoder's tokens. */
export const widthOfTokens = (encoder: Chosen): number => tokenWidth(ofState(encoder));

const ofState = ({ dim, heads, blocks, dropout }: Chosen) =>
  ({ encoder_dim: dim, encoder_heads: heads, encoder_blocks: blocks, encoder_dropout: dropout }) as StateSettings;
