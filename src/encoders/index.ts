/** The observation encoders, each a folder and a line here. */
import * as z from 'zod';
import type { Encoder } from './encoder.ts';
import { stateEncoder } from './state/index.ts';

export type { Arrays, DataSummary, Encoder, Measurable } from './encoder.ts';

export const ENCODERS = { state: stateEncoder } as const;

export type EncoderName = keyof typeof ENCODERS;
type Members = (typeof ENCODERS)[EncoderName];

/** config.json's `encoder`. */
export const encoderSchema = z.discriminatedUnion('name', [stateEncoder.schema]);
export type EncoderConfig = z.output<typeof encoderSchema>;
export type EncoderSettings = z.output<Members['settings']>;
/** stats.json's `encoder`. */
export type EncoderStatistics = ReturnType<Members['measure']>;

/** The encoder that a configuration is of. */
export const encoderOf = ({
  name,
}: Pick<EncoderConfig, 'name'>): Encoder<EncoderSettings, EncoderConfig, EncoderStatistics> => ENCODERS[name];
