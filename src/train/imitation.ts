/** The objective of imitation: a policy's loss on demonstrated chunks, as its decoder defines it. */
import { decoderOf } from '../decoders/index.ts';
import { encoderOf } from '../encoders/index.ts';
import { dropoutInputs } from '../nn/index.ts';
import { bind, type ModelConfig, type ModelShape } from '../policy/index.ts';
import { byPath, gradOf, input, symbols } from '../tensor/index.ts';
import { GRADIENT, type Objective, type ObjectiveReference, PARAMETER } from './objective.ts';

/** Plain data. */
export interface ImitationOptions {
  readonly config: ModelConfig;
  /** The shapes of the parameters that are trained, and the buffers. */
  readonly model: ModelShape;
}

/** A batch of it: the encoder's inputs and `actions` [B, T, A]. */
export const imitation = (options: ImitationOptions): ObjectiveReference => ({ module: import.meta.url, options });

/**
 * A loss per action dimension beyond which it is an explosion: for nats as if every number were 14 standard deviations
 * out, for squared errors as if it were 10 out of a range of 2.
 */
const EXPLOSION = 100;

/** A loss of a batch that no sound weights have. */
export const explosionOf = ({ decoder }: Pick<ModelConfig, 'decoder'>): number =>
  EXPLOSION * (decoderOf(decoder).lossUnit === 'nats' ? decoder.chunk_length * decoder.action_dim : 1);

export function open(options: ImitationOptions): Objective {
  const { encoder, decoder } = options.config;
  return {
    async compile(rows, engine, threads) {
      const p = symbols(options.model.params, PARAMETER);
      const forEncoder = dropoutInputs(encoderOf(encoder).dropoutRate(encoder), 'encoder_dropout');
      const forDecoder = dropoutInputs(decoderOf(decoder).dropoutRate(decoder), 'decoder_dropout');
      const policy = bind(options.config, options.model, p);
      const seen = policy.context(encoderOf(encoder).inputs(encoder, rows), forEncoder.dropout);
      const draws = decoderOf(decoder).inputs(decoder, rows);
      const actions = input('actions', [rows, decoder.chunk_length, decoder.action_dim]);
      const loss = policy.decoder.loss(actions, seen, draws, forDecoder.dropout);
      const program = await engine.compile({ loss, ...byPath(gradOf(loss, p), GRADIENT) }, { threads });
      return { program, masks: [forEncoder.masks, forDecoder.masks] };
    },
    draws: (key, step, rows) => decoderOf(decoder).draws(decoder, key, step, rows),
  };
}
