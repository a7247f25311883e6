/** The compiled graphs of a validation. */
import { decoderOf } from '../decoders/index.ts';
import { encoderOf } from '../encoders/index.ts';
import type { Engine, Program } from '../engine/index.ts';
import { noDropout } from '../nn/index.ts';
import { bind, contextShape, derivedInputs, type PolicyConfig, type PolicyModel } from '../policy/index.ts';
import { freeze, input } from '../tensor/index.ts';

export interface ValidationPrograms {
  /** In: the encoder's inputs, actions, the decoder's draws. Out: `loss` [], `context` (what the decoder sees). */
  readonly loss: Program;
  /**
   * In: `context`; `z` [B, T, A] if samples depend on it; what it derives from its parameters. Out: `actions`
   * [B, T, A], unclamped.
   */
  readonly sampler: Program;
}

/** Of a model whose weights go on changing: they are read from its arrays at each run. */
export async function compileValidation(
  config: PolicyConfig,
  model: PolicyModel,
  batchSize: number,
  engine: Engine,
  threads: number,
): Promise<ValidationPrograms> {
  const { encoder, decoder } = config;
  const shape = chunks(config, batchSize);
  const policy = bind(config, model, freeze(model.params), derivedInputs(config, model));
  const seen = policy.context(encoderOf(encoder).inputs(encoder, batchSize), noDropout);
  const loss = policy.decoder.loss(input('actions', shape), seen, decoderOf(decoder).inputs(decoder, batchSize));
  const actions = policy.decoder.sample(input('z', shape), input('context', contextShape(config, batchSize)));
  return {
    loss: await engine.compile({ loss, context: seen }, { threads }),
    sampler: await engine.compile({ actions }, { threads }),
  };
}

const chunks = ({ decoder }: PolicyConfig, B: number) => [B, decoder.chunk_length, decoder.action_dim];
