/** The compiled graphs of a run: one update's loss and gradients, and what validation measures. */
import { decoderOf } from '../decoders/index.ts';
import { encoderOf } from '../encoders/index.ts';
import type { Engine, Program } from '../engine/index.ts';
import { dropoutInputs, type Masks, noDropout } from '../nn/index.ts';
import {
  bind,
  contextShape,
  derivedInputs,
  type ModelShape,
  type PolicyConfig,
  type PolicyModel,
} from '../policy/index.ts';
import { byPath, freeze, gradOf, input, symbols } from '../tensor/index.ts';

/** Parameters are fed as 'p.<path>', gradients come back as 'g.<path>'. */
export const PARAMETER = 'p.';
export const GRADIENT = 'g.';

export interface UpdateProgram {
  /** In: parameters, the encoder's inputs, actions [B, T, A], the decoder's draws, masks. Out: `loss` [] and the gradients. */
  readonly program: Program;
  readonly masks: readonly Masks[];
}

export async function compileUpdate(
  config: Omit<PolicyConfig, 'acting'>,
  model: ModelShape,
  batchSize: number,
  engine: Engine,
  threads: number,
): Promise<UpdateProgram> {
  const { encoder, decoder } = config;
  const p = symbols(model.params, PARAMETER);
  const forEncoder = dropoutInputs(encoderOf(encoder).dropoutRate(encoder), 'encoder_dropout');
  const forDecoder = dropoutInputs(decoderOf(decoder).dropoutRate(decoder), 'decoder_dropout');
  const policy = bind(config, model, p);
  const seen = policy.context(encoderOf(encoder).inputs(encoder, batchSize), forEncoder.dropout);
  const draws = decoderOf(decoder).inputs(decoder, batchSize);
  const loss = policy.decoder.loss(input('actions', chunks(config, batchSize)), seen, draws, forDecoder.dropout);
  const program = await engine.compile({ loss, ...byPath(gradOf(loss, p), GRADIENT) }, { threads });
  return { program, masks: [forEncoder.masks, forDecoder.masks] };
}

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

const chunks = ({ decoder }: Pick<PolicyConfig, 'decoder'>, B: number) => [B, decoder.chunk_length, decoder.action_dim];
