/**
 * The contract of an action decoder, as a policy, its training and its checkpoint see it: tokens of an encoder in, a
 * chunk of actions out. What a decoder needs of the tokens (`context`) is computed once per observation, the rest per
 * sample. A decoder is a value of this type in one folder and one line of the registry (index.ts); nothing else asks for
 * its name.
 *
 * Letters: B batch, S tokens of width W, T chunk length, A action dimension, D = T*A.
 */
import type * as z from 'zod';
import type { Dropout } from '../nn/index.ts';
import type { Key } from '../random.ts';
import { materialise, type NDArray, type Spec, type Tensor, type Tree } from '../tensor/index.ts';
import type { Folding } from './folding.ts';
import type { Buffers, DecoderModel } from './model.ts';

/** What every decoder's configuration says, beside what is its own. */
export interface DecoderConfig {
  readonly name: string;
  readonly chunk_length: number;
  readonly action_dim: number;
}

/** A model before anything is drawn: its names and sizes. */
export interface DecoderBlueprint {
  readonly params: Tree<Spec>;
  readonly buffers: Readonly<Record<string, BufferSpec>>;
}

export interface BufferSpec {
  readonly length: number;
  draw(): readonly number[];
}

/** The model that a blueprint describes, drawn. */
export const drawModel = <P>({ params, buffers }: { params: P; buffers: DecoderBlueprint['buffers'] }) => ({
  params: materialise(params),
  buffers: Object.fromEntries(Object.entries(buffers).map(([name, { draw }]) => [name, draw()])),
});

/** A decoder's graph functions with its parameters in. `seen` is what `context` returned. */
export interface BoundDecoder {
  /**
   * What the decoder sees of tokens [B, S, W], of the shape that `contextShape` says.
   * @param mask [B, S], 1 for a token and 0 for padding
   */
  context(tokens: Tensor, mask?: Tensor): Tensor;
  /** The training loss of actions [B, T, A], a scalar in `lossUnit`; `draws` are its random `inputs`. */
  loss(actions: Tensor, seen: Tensor, draws: Readonly<Record<string, Tensor>>, dropout?: Dropout): Tensor;
  /** Actions [B, T, A], not clamped, from noise z [B, T, A]; a decoder that answers alike each time leaves it out. */
  sample(z: Tensor, seen: Tensor): Tensor;
  /** Of a decoder that is a distribution with an exact density; absent for the others. */
  readonly density?: Density;
}

export interface Density {
  /** log p(actions [B, T, A] | seen): [B], in nats. */
  logProb(actions: Tensor, seen: Tensor): Tensor;
  /** `sample`, and log p [B] of what it returns, without a second pass. */
  sampleAndLogProb(z: Tensor, seen: Tensor): readonly [actions: Tensor, logProb: Tensor];
}

// The registry holds decoders of different configurations; each is only ever given its own.
// biome-ignore lint/suspicious/noExplicitAny: an unknown would refuse every member
export interface Decoder<C extends DecoderConfig = any> {
  readonly name: string;
  /** What a recipe chooses, with every default: all but the name, and `action_dim`, which is the robot's. */
  readonly settings: z.ZodObject;
  /** config.json's `decoder`: the name, the settings, `action_dim`, and what must hold between them. */
  readonly schema: z.ZodType<C>;
  /** Whether its configurations have a density: what `bind` returns then has one. */
  readonly hasDensity: boolean;
  /** Nats are those of a whole chunk, so they grow with D; a squared error is one number's. */
  readonly lossUnit: 'nats' | 'squared error';
  /** For headings: 'NinA-mlp, 28 layers of width 64'. */
  describe(config: C): string;
  /** A decoder for tokens of width W. */
  blueprint(key: Key, config: C, W: number): DecoderBlueprint;
  /** The shape of `context` for B observations of S tokens of width W, some of which are padding if `masked`. */
  contextShape(config: C, B: number, S: number, W: number, masked: boolean): readonly number[];
  /** The graph inputs of one batch's loss that are random. */
  inputs(config: C, B: number): Readonly<Record<string, Tensor>>;
  /** Their numbers at a step, by the same names. */
  draws(config: C, key: Key, step: number, B: number): Record<string, Float32Array>;
  dropoutRate(config: C): number;
  /** For the estimate of a training's memory: the numbers that one row of a batch needs, and the operations of a sample. */
  footprint(config: C): { readonly row: number; readonly nodes: number };
  /** What sampling needs beside the parameters and follows from them: `bind` takes it as `derived`. */
  derived(config: C, model: DecoderModel): Readonly<Record<string, NDArray>>;
  bind(config: C, buffers: Buffers, p: Tree<Tensor>, derived?: Readonly<Record<string, Tensor>>): BoundDecoder;
  /** Of a decoder that can be rewritten for inference alone. */
  readonly folding?: Folding<C>;
}
