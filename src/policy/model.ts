/** The policy's graph: encoder -> tokens -> decoder, which says itself what it needs of the tokens. */
import { type BoundDecoder, type BufferSpec, decoderOf, drawModel } from '../decoders/index.ts';
import { type Assets, encoderOf } from '../encoders/index.ts';
import type { Dropout } from '../nn/index.ts';
import { fold, type Key } from '../random.ts';
import { type NDArray, type Shape, type Spec, symbols, type Tensor, type Tree } from '../tensor/index.ts';
import type { PolicyConfig, PolicyStatistics } from './config.ts';

export type PolicyParams<P> = {
  readonly encoder: Tree<P>;
  readonly decoder: Tree<P>;
};

export interface PolicyModel {
  readonly params: PolicyParams<NDArray>;
  /** Fixed integers of the decoder (permutations), by name. */
  readonly buffers: Readonly<Record<string, readonly number[]>>;
}

/** What a policy is built from. */
export interface PolicyParts {
  readonly config: PolicyConfig;
  readonly statistics: PolicyStatistics;
  readonly model: PolicyModel;
  /** The encoder's; {} for one that needs none. */
  readonly assets: Assets;
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
  const { tokens, blueprint } = encoderOf(encoder);
  const { params, buffers } = decoderOf(decoder).blueprint(key, decoder, tokens(encoder).width);
  return { params: { encoder: blueprint(fold(key, 'encoder'), encoder), decoder: params }, buffers };
}

/** A fresh model. */
export const init = (key: Key, config: ModelConfig): PolicyModel => drawModel(blueprint(key, config));

/** The policy's graph with parameters in. */
export interface BoundPolicy {
  readonly decoder: BoundDecoder;
  /**
   * What the decoder sees of observations; its shape is `contextShape`.
   * @param features what the encoder's trunk made of them, in place of the inputs that it reads
   */
  context(inputs: Readonly<Record<string, Tensor>>, dropout: Dropout, features?: Tensor): Tensor;
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
    context(inputs, dropout, features) {
      const { tokens, mask } = encoderOf(encoder).encode(encoder, p.encoder, inputs, dropout, features);
      return bound.context(tokens, mask);
    },
  };
}

/** The shape of the context of B observations. */
export function contextShape({ encoder, decoder }: ModelConfig, B: number): readonly number[] {
  const { count, width, masked = false } = encoderOf(encoder).tokens(encoder);
  return decoderOf(decoder).contextShape(decoder, B, count, width, masked);
}

/** Views whose pictures the policy's observations must hold. */
export const viewsOf = ({ encoder }: Pick<PolicyConfig, 'encoder'>): readonly string[] =>
  encoderOf(encoder).views(encoder);

/** Whether a policy understands every word of a text. */
export const knows = ({ encoder }: Pick<PolicyConfig, 'encoder'>, text: string): boolean =>
  encoderOf(encoder).knows?.(encoder, text) ?? true;

/** Whether its policy answers with log-probabilities. */
export const hasDensity = ({ decoder }: Pick<PolicyConfig, 'decoder'>): boolean => decoderOf(decoder).hasDensity;

/** The decoder's part, as its own functions want it. */
export const decoderModel = ({ params, buffers }: PolicyModel) => ({ params: params.decoder, buffers });

/** What sampling needs beside the parameters and follows from them. */
export const derived = ({ decoder }: Pick<PolicyConfig, 'decoder'>, model: PolicyModel) =>
  decoderOf(decoder).derived(decoder, decoderModel(model));

const DERIVED = 'derived.';

/** For a program over weights that go on changing: what is derived from them as graph inputs, 'derived.<name>'. */
export const derivedInputs = (config: Pick<PolicyConfig, 'decoder'>, model: PolicyModel) =>
  symbols(derived(config, model), DERIVED);

/** The numbers of these inputs, of the weights as they are now. */
export const derivedFeeds = (config: Pick<PolicyConfig, 'decoder'>, model: PolicyModel): Record<string, Float32Array> =>
  Object.fromEntries(Object.entries(derived(config, model)).map(([name, { data }]) => [DERIVED + name, data]));
