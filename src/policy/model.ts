/** The policy's graph: encoder -> tokens -> decoder, which says itself what it needs of the tokens. */
import * as decoders from '../decoders/index.ts';
import { encoderOf } from '../encoders/index.ts';
import type { Dropout } from '../nn/index.ts';
import { fold, type Key, key } from '../random.ts';
import { layoutOf, materialise, type NDArray, type Tensor, type Tree } from '../tensor/index.ts';
import type { PolicyConfig } from './config.ts';

export type PolicyParams<P> = {
  readonly encoder: Tree<P>;
  readonly decoder: decoders.DecoderParams<P>;
};

export interface PolicyModel {
  readonly params: PolicyParams<NDArray>;
  /** Fixed integers of the decoder (permutations), by name. */
  readonly buffers: Readonly<Record<string, readonly number[]>>;
}

export function init(key: Key, { encoder, decoder }: Pick<PolicyConfig, 'encoder' | 'decoder'>): PolicyModel {
  const { params, buffers } = decoders.init(key, decoder, encoderOf(encoder).tokens(encoder).width);
  const drawn = materialise(encoderOf(encoder).blueprint(fold(key, 'encoder'), encoder)) as Tree<NDArray>;
  return { params: { encoder: drawn, decoder: params }, buffers };
}

/** How many numbers a configuration's model holds at least; weights that are read must be as many. */
export function leastNumbers({ encoder, decoder }: Pick<PolicyConfig, 'encoder' | 'decoder'>): number {
  const seen = layoutOf(encoderOf(encoder).blueprint(key(0), encoder));
  return seen.size + decoders.leastNumbers(decoder);
}

/** What the decoder sees of an observation; its shape is `contextShape`. */
export function context(
  { encoder }: Pick<PolicyConfig, 'encoder'>,
  p: PolicyParams<Tensor>,
  inputs: Readonly<Record<string, Tensor>>,
  dropout: Dropout,
): Tensor {
  return decoders.context(p.decoder, encoderOf(encoder).encode(encoder, p.encoder, inputs, dropout).tokens);
}

/** The shape of the context of B observations. */
export const contextShape = ({ encoder, decoder }: Pick<PolicyConfig, 'encoder' | 'decoder'>, B: number): number[] =>
  decoders.contextShape(decoder, B, encoderOf(encoder).tokens(encoder).count);

/** Whether a policy understands every word of a text. */
export const knows = ({ encoder }: Pick<PolicyConfig, 'encoder'>, text: string): boolean =>
  encoderOf(encoder).knows?.(encoder, text) ?? true;

/** The decoder's part, as its own functions want it. */
export const decoderOf = ({ params, buffers }: PolicyModel): decoders.DecoderModel => ({
  params: params.decoder,
  buffers,
});
