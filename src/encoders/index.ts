/** The observation encoders behind one contract (encoder.ts), each a folder and a line here. */
import * as z from 'zod';
import { NinaError } from '../errors.ts';
import type { Encoder, EncoderConfig } from './encoder.ts';
import { stateEncoder } from './state/index.ts';

export type { Arrays, DataSummary, Encoder, EncoderConfig, Measurable } from './encoder.ts';

/** Every encoder there is. The first is the default. */
export const ENCODERS: readonly Encoder[] = [stateEncoder];

/** @throws NinaError naming those there are. */
export function encoderOf({ name }: Pick<EncoderConfig, 'name'>): Encoder {
  const found = ENCODERS.find((encoder) => encoder.name === name);
  if (found) return found;
  throw new NinaError(`There is no encoder ${name}; there are ${ENCODERS.map((encoder) => encoder.name).join(', ')}.`);
}

/** config.json's `encoder`: an encoder's name, and its own configuration. */
export const encoderSchema: z.ZodType<EncoderConfig> = z.discriminatedUnion(
  'name',
  ENCODERS.map(({ schema }) => schema) as unknown as [z.ZodObject, ...z.ZodObject[]],
) as unknown as z.ZodType<EncoderConfig>;
