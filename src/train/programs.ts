/** The compiled graphs of a run: one update's loss and gradients, and what validation measures. */
import * as decoders from '../decoders/index.ts';
import * as state from '../encoders/state/index.ts';
import { cpu, type Program } from '../engine/index.ts';
import { dropoutInputs, type Masks, noDropout } from '../nn/index.ts';
import { context, contextShape, decoderOf, type PolicyConfig, type PolicyModel } from '../policy/index.ts';
import { byPath, gradOf, input, symbols } from '../tensor/index.ts';

/** Parameters are fed as 'p.<path>', gradients come back as 'g.<path>'. */
export const PARAMETER = 'p.';
export const GRADIENT = 'g.';

export interface UpdateProgram {
  /** In: parameters, state, actions [B, T, A], the decoder's draws, masks. Out: `loss` [] and the gradients. */
  readonly program: Program;
  readonly masks: readonly Masks[];
}

export async function compileUpdate(
  config: PolicyConfig,
  model: PolicyModel,
  batchSize: number,
  threads: number,
): Promise<UpdateProgram> {
  const { encoder, decoder } = config;
  const shape = [batchSize, decoder.chunk_length, decoder.action_dim];
  const p = symbols(model.params, PARAMETER);
  const forEncoder = dropoutInputs(encoder.encoder_dropout, 'encoder_dropout');
  const forDecoder = dropoutInputs('dropout' in decoder ? decoder.dropout : 0, 'decoder_dropout');
  const seen = context(config, p, state.stateInputs(encoder, batchSize), forEncoder.dropout);
  const loss = decoders.loss(decoder, model, p.decoder, input('actions', shape), seen, forDecoder.dropout);
  const program = await cpu.compile({ loss, ...byPath(gradOf(loss, p), GRADIENT) }, { threads });
  return { program, masks: [forEncoder.masks, forDecoder.masks] };
}

export interface ValidationPrograms {
  /** In: parameters, state, actions, the decoder's draws. Out: `loss` [], `context` (what the decoder sees). */
  readonly loss: Program;
  /**
   * In: the decoder's parameters, `context`; of a generative decoder `z` [B, T, A]; with PLU `inverses`.
   * Out: `actions` [B, T, A], unclamped.
   */
  readonly sampler: Program;
}

export async function compileValidation(
  config: PolicyConfig,
  model: PolicyModel,
  batchSize: number,
  threads: number,
): Promise<ValidationPrograms> {
  const { encoder, decoder } = config;
  const shape = [batchSize, decoder.chunk_length, decoder.action_dim];
  const p = symbols(model.params, PARAMETER);
  const seen = context(config, p, state.stateInputs(encoder, batchSize), noDropout);
  const loss = decoders.loss(decoder, model, p.decoder, input('actions', shape), seen);
  const inverses = decoders.inverses(decoder, decoderOf(model));
  const actions = decoders.sample(
    decoder,
    model,
    p.decoder,
    input('z', shape),
    input('context', contextShape(config, batchSize)),
    inverses && input('inverses', inverses.shape),
  );
  return {
    loss: await cpu.compile({ loss, context: seen }, { threads }),
    sampler: await cpu.compile({ actions }, { threads }),
  };
}
