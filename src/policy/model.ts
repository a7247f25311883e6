/** The policy's graph: encoder -> tokens -> decoder, which says itself what it needs of the tokens. */
import * as decoders from '../decoders/index.ts';
import * as state from '../encoders/state/index.ts';
import type { Dropout } from '../nn/index.ts';
import { fold, type Key } from '../random.ts';
import type { NDArray, Tensor } from '../tensor/index.ts';
import type { PolicyConfig } from './config.ts';

export type PolicyParams<P> = {
  readonly encoder: state.StateParams<P>;
  readonly decoder: decoders.DecoderParams<P>;
};

export interface PolicyModel {
  readonly params: PolicyParams<NDArray>;
  /** Fixed integers of the decoder (permutations), by name. */
  readonly buffers: Readonly<Record<string, readonly number[]>>;
}

export function init(key: Key, { encoder, decoder }: Pick<PolicyConfig, 'encoder' | 'decoder'>): PolicyModel {
  const { params, buffers } = decoders.init(key, decoder, state.tokenWidth(encoder));
  return { params: { encoder: state.init(fold(key, 'encoder'), encoder), decoder: params }, buffers };
}

/** How many numbers a configuration's model holds at least; weights that are read must be as many. */
export function leastNumbers({ encoder, decoder }: Pick<PolicyConfig, 'encoder' | 'decoder'>): number {
  const { words, max_words, encoder_dim: E, encoder_blocks } = encoder;
  const W = state.tokenWidth(encoder);
  const seen = (words.length + max_words + (10 + 8 * encoder_blocks) * E) * E + W * (5 * E + W);
  return seen + decoders.leastNumbers(decoder);
}

/** What the decoder sees of an observation; its shape is `contextShape`. */
export function context(
  { encoder }: Pick<PolicyConfig, 'encoder'>,
  p: PolicyParams<Tensor>,
  inputs: state.StateInputs,
  dropout: Dropout,
): Tensor {
  return decoders.context(p.decoder, state.encode(encoder, p.encoder, inputs, dropout));
}

/** The shape of the context of B observations: the state encoder makes one token. */
export const contextShape = ({ decoder }: Pick<PolicyConfig, 'decoder'>, B: number): number[] =>
  decoders.contextShape(decoder, B, 1);

/** The decoder's part, as its own functions want it. */
export const decoderOf = ({ params, buffers }: PolicyModel): decoders.DecoderModel => ({
  params: params.decoder,
  buffers,
});
