/**
 * One contract for all action decoders, as a policy and its training see them: tokens of an encoder in, a chunk of
 * actions out. What a decoder needs of the tokens (`context`) is computed once per observation, the rest per sample.
 *
 * Letters: B batch, S tokens of width W, T chunk length, A action dimension, C condition dimension.
 */
import { type Dropout, type Linear, noDropout } from '../nn/index.ts';
import { fold, type Key, normals } from '../random.ts';
import { input, type NDArray, type Tensor } from '../tensor/index.ts';
import type { DecoderConfig } from './config.ts';
import * as flower from './flower/index.ts';
import * as nina from './nina/index.ts';
import { initPool, pool } from './pool.ts';
import * as regression from './regression/index.ts';

/** The parameters of one decoder, under its name. */
export type DecoderParams<T> = {
  readonly nina?: { readonly pool: Linear<T>; readonly flow: nina.Params<T> };
  readonly flower?: flower.Params<T>;
  readonly regression?: { readonly pool: Linear<T>; readonly mlp: regression.Params<T> };
};

export interface DecoderModel {
  readonly params: DecoderParams<NDArray>;
  /** Fixed integers (the flow's permutations), by name. */
  readonly buffers: nina.Buffers;
}

/** A fresh decoder for tokens of width W. */
export function init(key: Key, config: DecoderConfig, W: number): DecoderModel {
  switch (config.decoder) {
    case 'nina': {
      const { params, buffers } = nina.init(fold(key, 'decoder'), config);
      return { params: { nina: { pool: initPool(fold(key, 'pool'), W, config.cond_dim), flow: params } }, buffers };
    }
    case 'flower':
      return { params: { flower: flower.init(fold(key, 'decoder'), config) }, buffers: {} };
    case 'regression': {
      const mlp = regression.init(fold(key, 'decoder'), config);
      return { params: { regression: { pool: initPool(fold(key, 'pool'), W, config.cond_dim), mlp } }, buffers: {} };
    }
  }
}

/** What of tokens [B, S, W] the decoder sees: their pooled condition [B, C], or all of them. */
export function context(p: DecoderParams<Tensor>, tokens: Tensor): Tensor {
  const pooled = p.nina ?? p.regression;
  return pooled ? pool(pooled.pool, tokens) : tokens;
}

/** The shape of `context` for B observations of S tokens. */
export const contextShape = (config: DecoderConfig, B: number, S: number): number[] =>
  config.decoder === 'flower' ? [B, S, config.embed_dim] : [B, config.cond_dim];

/**
 * The training loss of actions [B, T, A]: a scalar. Nats per chunk for the flow (exact negative log-likelihood), squared
 * error per number for the others (of the velocity, of the actions). Its random numbers are the graph inputs that
 * `draws` fills.
 */
export function loss(
  config: DecoderConfig,
  { buffers }: Pick<DecoderModel, 'buffers'>,
  p: DecoderParams<Tensor>,
  actions: Tensor,
  seen: Tensor,
  dropout: Dropout = noDropout,
): Tensor {
  const noise = () => input('noise', actions.shape);
  if (config.decoder === 'nina' && p.nina)
    return nina.loss(config, buffers, p.nina.flow, actions, seen, noise(), dropout);
  if (config.decoder === 'flower' && p.flower)
    return flower.loss(config, p.flower, actions, seen, noise(), input('times', [actions.shape[0]]), dropout);
  if (config.decoder === 'regression' && p.regression) return regression.loss(config, p.regression.mlp, actions, seen);
  throw mismatch(config, p);
}

/** The random numbers of one batch's loss, by input. */
export function draws(config: DecoderConfig, key: Key, step: number, B: number): Record<string, Float32Array> {
  if (config.decoder === 'regression') return {};
  const noise = normals(fold(key, 'noise', step), B * config.chunk_length * config.action_dim);
  if (config.decoder === 'nina') return { noise };
  return { noise, times: flower.sampleTimes(fold(key, 'times', step), config.sampling_type, B) };
}

/** Actions [B, T, A], not clamped, given what `context` returned, and noise z [B, T, A], which regression ignores. */
export function sample(
  config: DecoderConfig,
  { buffers }: Pick<DecoderModel, 'buffers'>,
  p: DecoderParams<Tensor>,
  z: Tensor,
  seen: Tensor,
  inverses?: Tensor,
): Tensor {
  if (config.decoder === 'nina' && p.nina) return nina.sample(config, buffers, p.nina.flow, z, seen, inverses);
  if (config.decoder === 'flower' && p.flower) return flower.sample(config, p.flower, z, seen);
  if (config.decoder === 'regression' && p.regression) return regression.predict(config, p.regression.mlp, seen);
  throw mismatch(config, p);
}

/** `sample`, with log p [B] of what it returns, in nats, where the decoder has a density. */
export function sampleAndLogProb(
  config: DecoderConfig,
  model: Pick<DecoderModel, 'buffers'>,
  p: DecoderParams<Tensor>,
  z: Tensor,
  seen: Tensor,
  inverses?: Tensor,
): { actions: Tensor; logProb?: Tensor } {
  if (config.decoder !== 'nina' || !p.nina) return { actions: sample(config, model, p, z, seen, inverses) };
  const [actions, logProb] = nina.sampleAndLogProb(config, model.buffers, p.nina.flow, z, seen, inverses);
  return { actions, logProb };
}

/** log p(actions [B, T, A] | seen) [B] in nats; undefined for a decoder that has no density. */
export function logProb(
  config: DecoderConfig,
  { buffers }: Pick<DecoderModel, 'buffers'>,
  p: DecoderParams<Tensor>,
  actions: Tensor,
  seen: Tensor,
): Tensor | undefined {
  if (config.decoder !== 'nina' || !p.nina) return undefined;
  return nina.logProb(config, buffers, p.nina.flow, actions, seen);
}

/** What sampling needs beside the parameters: the flow's inverse matrices [n, D, D]. */
export function inverses(config: DecoderConfig, { params, buffers }: DecoderModel): NDArray | undefined {
  if (config.decoder !== 'nina' || !params.nina) return undefined;
  return nina.pluInverse(config, { params: params.nina.flow, buffers });
}

const mismatch = (config: DecoderConfig, p: object) =>
  new Error(
    `The configuration is of decoder ${config.decoder}, but the parameters are of ${Object.keys(p).join(', ')}.`,
  );
