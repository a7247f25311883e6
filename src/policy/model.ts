/** The policy's graph: encoder -> tokens -> decoder, which says itself what it needs of the tokens. */
import { type BoundDecoder, type BufferSpec, decoderOf, drawModel } from '../decoders/index.ts';
import * as state from '../encoders/state/index.ts';
import type { Dropout } from '../nn/index.ts';
import { fold, type Key } from '../random.ts';
import type { NDArray, Shape, Spec, Tensor, Tree } from '../tensor/index.ts';
import type { PolicyConfig } from './config.ts';

export type PolicyParams<P> = {
  readonly encoder: state.StateParams<P>;
  readonly decoder: Tree<P>;
};

export interface PolicyModel {
  readonly params: PolicyParams<NDArray>;
  /** Fixed integers of the decoder (permutations), by name. */
  readonly buffers: Readonly<Record<string, readonly number[]>>;
}

/** What the graph of a model needs of it. */
export interface ModelShape {
  readonly params: PolicyParams<{ readonly shape: Shape }>;
  readonly buffers: PolicyModel['buffers'];
}

/** The two configurations that a model follows from. */
export type ModelConfig = Pick<PolicyConfig, 'encoder' | 'decoder'>;

/** Names, shapes and sizes of a model; nothing is drawn. */
export function blueprint(
  key: Key,
  { encoder, decoder }: ModelConfig,
): { params: PolicyParams<Spec>; buffers: Readonly<Record<string, BufferSpec>> } {
  const { params, buffers } = decoderOf(decoder).blueprint(key, decoder, state.tokenWidth(encoder));
  return { params: { encoder: state.init(fold(key, 'encoder'), encoder), decoder: params }, buffers };
}

/** A fresh model. */
export const init = (key: Key, config: ModelConfig): PolicyModel =>
  // The decoder's tree is of any depth, which the type of its drawn form does not say.
  drawModel(blueprint(key, config)) as PolicyModel;

/** The policy's graph with parameters in. */
export interface BoundPolicy {
  readonly decoder: BoundDecoder;
  /** What the decoder sees of observations; its shape is `contextShape`. */
  context(inputs: state.StateInputs, dropout: Dropout): Tensor;
}

/** @param derived of the decoder, what sampling needs beside the parameters */
export function bind(
  { encoder, decoder }: ModelConfig,
  { buffers }: Pick<PolicyModel, 'buffers'>,
  p: PolicyParams<Tensor>,
  derived: Readonly<Record<string, Tensor>> = {},
): BoundPolicy {
  const bound = decoderOf(decoder).bind(decoder, buffers, p.decoder, derived);
  return {
    decoder: bound,
    context: (inputs, dropout) => bound.context(state.encode(encoder, p.encoder, inputs, dropout)),
  };
}

/** The shape of the context of B observations: the state encoder makes one token. */
export const contextShape = ({ encoder, decoder }: ModelConfig, B: number): readonly number[] =>
  decoderOf(decoder).contextShape(decoder, B, 1, state.tokenWidth(encoder));

/** Whether its policy answers with log-probabilities. */
export const hasDensity = ({ decoder }: Pick<PolicyConfig, 'decoder'>): boolean => decoderOf(decoder).hasDensity;

/** The decoder's part, as its own functions want it. */
export const decoderModel = ({ params, buffers }: PolicyModel) => ({ params: params.decoder, buffers });

/** What sampling needs beside the parameters and follows from them. */
export const derived = ({ decoder }: Pick<PolicyConfig, 'decoder'>, model: PolicyModel) =>
  decoderOf(decoder).derived(decoder, decoderModel(model));
