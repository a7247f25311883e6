/**
 * The encoders and decoders that a recipe may name, and the way from its sections to a policy's configuration: what the
 * data and the robot determine (vocabulary, width of a token, numbers of an action) is no setting and is filled in here.
 */
import type * as z from 'zod';
import { DECODERS as ALL_DECODERS, type DecoderConfig, decoderSchema } from '../decoders/index.ts';
import {
  ENCODERS as ALL_ENCODERS,
  type Assets,
  type DataSummary,
  type EncoderConfig,
  encoderOf,
} from '../encoders/index.ts';
import { actionSize, PANDA, type Robot } from '../robot/index.ts';

/** A section that names a member of a registry, with the settings that come with that name. */
export type Chosen = Readonly<{ name: string } & Record<string, unknown>>;

/** A member of a registry, as recipes see it. */
export interface Part {
  readonly settings: z.ZodObject;
}

const byName = <P extends Part & { name: string }>(parts: readonly P[]): Readonly<Record<string, P>> =>
  Object.fromEntries(parts.map((part) => [part.name, part]));

export const ENCODERS: Readonly<Record<string, Part>> = byName(ALL_ENCODERS);
export const DECODERS: Readonly<Record<string, Part>> = byName(ALL_DECODERS);

/** What is wrong with a section as a whole: paths are of its settings. */
type Rules = readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];

/** Single settings are checked where they are given: only what must hold between them is left. */
const rulesOf = (schema: z.ZodType, value: unknown): Rules =>
  (schema.safeParse(value).error?.issues ?? []).filter(({ code }) => code === 'custom');

export const encoderRules = ({ name, ...settings }: Chosen): Rules => rulesOf(ENCODERS[name].settings, settings);

/** For this robot; before the data say which it is, only what no number of actions puts right. */
export function decoderRules(decoder: Chosen, robot?: Robot): Rules {
  if (robot) return rulesOf(decoderSchema, decoderConfig(decoder, robot));
  const [odd, even] = [1, 2].map((action_dim) => rulesOf(decoderSchema, { ...decoder, action_dim }));
  return odd.filter(({ message }) => even.some((other) => other.message === message));
}

/** The encoder for this data: its vocabulary and limits are theirs, and the assets'. */
export function encoderConfig(encoder: Chosen, data: DataSummary & { readonly assets: Assets }): EncoderConfig {
  const { name, ...settings } = encoder;
  return encoderOf(encoder).configure(settings, data);
}

/** @param robot whose actions are decoded; before the data say which it is, LIBERO's is assumed */
export const decoderConfig = (decoder: Chosen, robot: Robot = PANDA): DecoderConfig =>
  ({ ...decoder, action_dim: actionSize(robot) }) as unknown as DecoderConfig;

/** W of the encoder's tokens. */
export const widthOfTokens = (encoder: Chosen): number => encoderOf(encoder).tokens(encoder).width;
