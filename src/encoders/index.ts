/** The observation encoders behind one contract (encoder.ts), each a folder and a line here. */
import { registry } from '../registry.ts';
import type { Encoder, EncoderConfig } from './encoder.ts';
import { stateEncoder } from './state/index.ts';

export type {
  Arrays,
  Assets,
  DataSummary,
  Encoded,
  Encoder,
  EncoderConfig,
  Measurable,
  ObservationWriter,
  Trunk,
} from './encoder.ts';

/** Every encoder there is. The first is the default. */
export const ENCODERS: readonly Encoder[] = [stateEncoder];

/** `encoderOf`: the encoder that a configuration names. `encoderSchema`: config.json's `encoder`, a name and that encoder's own configuration. */
export const { of: encoderOf, schema: encoderSchema } = registry<Encoder, EncoderConfig>('encoder', ENCODERS);
