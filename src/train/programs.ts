/** The compiled graphs of a run: one update's loss and gradients, and what validation measures. */
import * as nina from '../decoders/nina/index.ts';
import * as state from '../encoders/state/index.ts';
import { dropoutInputs, type Masks, noDropout } from '../nn/index.ts';
import { condition, type PolicyConfig, type PolicyModel } from '../policy/index.ts';
import { compile, grad, input, leaves, type Program, symbols, type Tensor } from '../tensor/index.ts';

/** Parameters are fed as 'p.<path>', gradients come back as 'g.<path>'. */
export const PARAMETER = 'p.';
export const GRADIENT = 'g.';

export interface UpdateProgram {
  /** In: parameters, state, actions and noise [B, T, A], masks. Out: `nll` [] and the gradients. */
  readonly program: Program;
  readonly masks: readonly Masks[];
}

export async function compileUpdate(
  config: PolicyConfig,
  { params, buffers }: PolicyModel,
  batchSize: number,
  threads: number,
): Promise<UpdateProgram> {
  const { encoder, decoder } = config;
  const shape = [batchSize, decoder.chunk_length, decoder.action_dim];
  const p = symbols(params, PARAMETER);
  const forEncoder = dropoutInputs(encoder.encoder_dropout, 'encoder_dropout');
  const forDecoder = dropoutInputs(decoder.dropout, 'decoder_dropout');
  const cond = condition(config, p, state.stateInputs(encoder, batchSize), forEncoder.dropout);
  const nll = nina.loss(
    decoder,
    buffers,
    p.decoder,
    input('actions', shape),
    cond,
    input('noise', shape),
    forDecoder.dropout,
  );
  const parameters = leaves<Tensor>(p);
  const gradients = grad(
    nll,
    parameters.map(([, leaf]) => leaf),
  );
  const named = parameters.map(([path], i): [string, Tensor] => [GRADIENT + path, gradients[i]!]);
  const program = await compile({ outputs: { nll, ...Object.fromEntries(named) }, threads });
  return { program, masks: [forEncoder.masks, forDecoder.masks] };
}

export interface ValidationPrograms {
  /** In: parameters, state, actions, noise. Out: `nll` [], `condition` [B, C]. */
  readonly likelihood: Program;
  /** In: the decoder's parameters, `z` [B, T, A], `condition`, with PLU `inverses`. Out: `actions` [B, T, A], unclamped. */
  readonly sampler: Program;
}

export async function compileValidation(
  config: PolicyConfig,
  { params, buffers }: PolicyModel,
  batchSize: number,
  threads: number,
): Promise<ValidationPrograms> {
  const { encoder, decoder } = config;
  const shape = [batchSize, decoder.chunk_length, decoder.action_dim];
  const p = symbols(params, PARAMETER);
  const cond = condition(config, p, state.stateInputs(encoder, batchSize), noDropout);
  const nll = nina.loss(decoder, buffers, p.decoder, input('actions', shape), cond, input('noise', shape));
  const inverses = nina.pluInverse(decoder, { params: params.decoder, buffers });
  const actions = nina.sample(
    decoder,
    buffers,
    p.decoder,
    input('z', shape),
    input('condition', [batchSize, decoder.cond_dim]),
    inverses && input('inverses', inverses.shape),
  );
  return {
    likelihood: await compile({ outputs: { nll, condition: cond }, threads }),
    sampler: await compile({ outputs: { actions }, threads }),
  };
}
