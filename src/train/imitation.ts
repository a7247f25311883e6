/** The objective of imitation: a policy's loss on demonstrated chunks, as its decoder defines it. */
import { decoderOf } from '../decoders/index.ts';
import { encoderOf } from '../encoders/index.ts';
import { dropoutInputs } from '../nn/index.ts';
import { bind, type ModelConfig, type ModelShape, type PolicyParams } from '../policy/index.ts';
import { byPath, gradOf, input, type Shape, symbols, type Tensor, type Tree } from '../tensor/index.ts';
import type { Freeze } from './frozen.ts';
import { GRADIENT, type Objective, type ObjectiveReference, PARAMETER } from './objective.ts';
import { seen } from './seen.ts';

/** Plain data. */
export interface ImitationOptions {
  readonly config: ModelConfig;
  /** The parameters that are trained. */
  readonly params: Tree<{ readonly shape: Shape }>;
  readonly buffers: ModelShape['buffers'];
  /** What is not. */
  readonly freeze: Freeze;
}

/** A batch of it: what seen.ts reads of observations, and `actions` [B, T, A]. */
export const imitation = (options: ImitationOptions): ObjectiveReference => ({ module: import.meta.url, options });

/**
 * A loss per action dimension beyond which it is an explosion: for nats as if every number were 14 standard deviations
 * out, for squared errors as if it were 10 out of a range of 2.
 */
const EXPLOSION = 100;

/** A loss of a batch that no sound weights have. */
export const explosionOf = ({ decoder }: Pick<ModelConfig, 'decoder'>): number =>
  EXPLOSION * (decoderOf(decoder).lossUnit === 'nats' ? decoder.chunk_length * decoder.action_dim : 1);

export function open({ config, params, buffers, freeze }: ImitationOptions): Objective {
  const { encoder, decoder } = config;
  return {
    async compile(rows, engine, threads) {
      const p = symbols(params, PARAMETER);
      const forEncoder = dropoutInputs(encoderOf(encoder).dropoutRate(encoder), 'encoder_dropout');
      const forDecoder = dropoutInputs(decoderOf(decoder).dropoutRate(decoder), 'decoder_dropout');
      // What is frozen is not looked at: its results are kept.
      const policy = bind(config, { buffers }, p as PolicyParams<Tensor>);
      const context = seen(config, freeze, policy, rows, forEncoder.dropout);
      const draws = decoderOf(decoder).inputs(decoder, rows);
      const actions = input('actions', [rows, decoder.chunk_length, decoder.action_dim]);
      const loss = policy.decoder.loss(actions, context, draws, forDecoder.dropout);
      const program = await engine.compile({ loss, ...byPath(gradOf(loss, p), GRADIENT) }, { threads });
      return { program, masks: [forEncoder.masks, forDecoder.masks] };
    },
    draws: (key, step, rows) => decoderOf(decoder).draws(decoder, key, step, rows),
  };
}
