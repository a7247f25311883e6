/**
 * The policy's graph: encoder -> tokens, mean over tokens, Linear(W -> C) -> condition, decoder. As in the reference,
 * the decoder sees nothing of the observation but its condition vector.
 */
import * as nina from '../decoders/nina/index.ts';
import * as state from '../encoders/state/index.ts';
import { type Dropout, initLinear, type Linear, linear } from '../nn/index.ts';
import { fold, type Key } from '../random.ts';
import { mean, type NDArray, type Tensor } from '../tensor/index.ts';
import type { PolicyConfig } from './config.ts';

export type PolicyParams<P> = {
  readonly encoder: state.StateParams<P>;
  readonly pool: Linear<P>;
  readonly decoder: nina.Params<P>;
};

export interface PolicyModel {
  readonly params: PolicyParams<NDArray>;
  /** Fixed integers of the decoder (permutations), by name. */
  readonly buffers: Readonly<Record<string, readonly number[]>>;
}

export function init(key: Key, { encoder, decoder }: Pick<PolicyConfig, 'encoder' | 'decoder'>): PolicyModel {
  const flow = nina.init(fold(key, 'decoder'), decoder);
  return {
    params: {
      encoder: state.init(fold(key, 'encoder'), encoder),
      pool: initLinear(fold(key, 'pool'), state.tokenWidth(encoder), decoder.cond_dim),
      decoder: flow.params,
    },
    buffers: flow.buffers,
  };
}

/** The condition [B, C] of the decoder: the mean of the tokens, projected. */
export function condition(
  { encoder }: Pick<PolicyConfig, 'encoder'>,
  p: Pick<PolicyParams<Tensor>, 'encoder' | 'pool'>,
  inputs: state.StateInputs,
  dropout: Dropout,
): Tensor {
  return linear(p.pool, mean(state.encode(encoder, p.encoder, inputs, dropout), [1]));
}
