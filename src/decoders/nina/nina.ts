/**
 * The decoder as pure functions: parameters at random, then graphs of its loss, density and samples.
 *
 * Letters: B batch, T chunk length, A action dimension, C condition dimension, D = T*A. A chunk [B, T, A] is a vector
 * [B, D] to the flow, time step by time step: its first half is the first T/2 time steps, so both variants split alike.
 */
import * as flows from '../../flows/index.ts';
import { type Dropout, noDropout } from '../../nn/index.ts';
import { fold, type Key, permutation } from '../../random.ts';
import { add, clamp, mean, mul, type NDArray, neg, reshape, type Spec, type Tensor } from '../../tensor/index.ts';
import { type BufferSpec, drawModel } from '../decoder.ts';
import type { Buffers } from '../model.ts';
import type { NinaConfig } from './config.ts';
import { initMlpConditioners, type MlpParams, mlpConditioners } from './mlp.ts';
import { initTransformerConditioners, type TransformerParams, transformerConditioners } from './transformer.ts';

export type Params<T> = {
  readonly mlp?: MlpParams<T>;
  readonly trans?: TransformerParams<T>;
  readonly plu?: flows.PluParams<T>;
};

/**
 * Fixed integers drawn at the start: 'permutation.<i>' of layer i's D scalars (mlp) or T time steps (trans), and with
 * PLU 'plu.<i>', its P as row indices.
 */
export type { Buffers };

export interface Model {
  readonly params: Params<NDArray>;
  readonly buffers: Buffers;
}

/** A decoder before it has numbers: PyTorch's default initialisation, PLU from random orthogonal matrices. */
export function blueprint(key: Key, config: NinaConfig): { params: Params<Spec>; buffers: Record<string, BufferSpec> } {
  const { backbone, n_layers, chunk_length: T, action_dim: A } = config;
  const plu = config.use_plu ? flows.initPlu(fold(key, 'plu'), n_layers, T * A) : undefined;
  const moved = backbone === 'mlp' ? T * A : T;
  const buffers: Record<string, BufferSpec> = {};
  for (let i = 0; i < n_layers; i++)
    buffers[`permutation.${i}`] = { length: moved, draw: () => [...permutation(fold(key, 'permutation', i), moved)] };
  for (let i = 0; plu && i < n_layers; i++) buffers[`plu.${i}`] = { length: T * A, draw: () => plu.rows(i) };
  const conditioners =
    backbone === 'mlp'
      ? { mlp: initMlpConditioners(fold(key, 'mlp'), config) }
      : { trans: initTransformerConditioners(fold(key, 'trans'), config) };
  return { params: { ...conditioners, ...(plu && { plu: plu.params }) }, buffers };
}

/** A fresh decoder. */
export const init = (key: Key, config: NinaConfig): Model => drawModel(blueprint(key, config));

/** The actions that training fits: a + sigma eps, clamped to [-1, 1] or not. actions and noise [B, T, A]. */
export function noisyTarget(config: NinaConfig, actions: Tensor, noise: Tensor): Tensor {
  const noisy = add(actions, mul(noise, config.action_noise_mult));
  return config.clamp_noise ? clamp(noisy, -1, 1) : noisy;
}

/** The mean over the batch of -log p(noisy actions | cond): a scalar, in nats over the T*A dimensions of a chunk. */
export function loss(
  config: NinaConfig,
  buffers: Buffers,
  p: Params<Tensor>,
  actions: Tensor,
  cond: Tensor,
  noise: Tensor,
  dropout: Dropout = noDropout,
): Tensor {
  return neg(mean(logProb(config, buffers, p, noisyTarget(config, actions, noise), cond, dropout)));
}

/** log p(actions | cond) of actions [B, T, A] given cond [B, C]: [B], in nats. */
export function logProb(
  config: NinaConfig,
  buffers: Buffers,
  p: Params<Tensor>,
  actions: Tensor,
  cond: Tensor,
  dropout: Dropout = noDropout,
): Tensor {
  return flows.logProb(flow(config, buffers, p, cond, { dropout }), vectors(config, actions, cond));
}

/** The noise z [B, T, A] of actions [B, T, A] given cond [B, C], and log |det dz/da| [B]. */
export function encode(
  config: NinaConfig,
  buffers: Buffers,
  p: Params<Tensor>,
  actions: Tensor,
  cond: Tensor,
): [z: Tensor, logDet: Tensor] {
  const [z, logDet] = flows.encode(flow(config, buffers, p, cond), vectors(config, actions, cond));
  return [reshape(z, actions.shape), logDet];
}

/** The actions [B, T, A] of noise z [B, T, A] given cond [B, C], and log |det da/dz| [B]. */
export function decode(
  config: NinaConfig,
  buffers: Buffers,
  p: Params<Tensor>,
  z: Tensor,
  cond: Tensor,
  inverses?: Tensor,
): [actions: Tensor, logDet: Tensor] {
  const [x, logDet] = flows.decode(flow(config, buffers, p, cond, { inverses }), vectors(config, z, cond));
  return [reshape(x, z.shape), logDet];
}

/**
 * Actions [B, T, A] from noise z [B, T, A] given cond [B, C], not clamped. Temperature is the scale of z: standard
 * normal numbers times the temperature, zeros for the image of the mode.
 * @param inverses with PLU, the input [n, D, D] that `pluInverse` fills.
 */
export function sample(
  config: NinaConfig,
  buffers: Buffers,
  p: Params<Tensor>,
  z: Tensor,
  cond: Tensor,
  inverses?: Tensor,
): Tensor {
  return decode(config, buffers, p, z, cond, inverses)[0];
}

/** `sample`, and the log p of what it returns [B], without a second pass. Of the unclamped sample: a clamped one has no density. */
export function sampleAndLogProb(
  config: NinaConfig,
  buffers: Buffers,
  p: Params<Tensor>,
  z: Tensor,
  cond: Tensor,
  inverses?: Tensor,
): [actions: Tensor, logProb: Tensor] {
  const [x, logProbability] = flows.sampleAndLogProb(
    flow(config, buffers, p, cond, { inverses }),
    vectors(config, z, cond),
  );
  return [reshape(x, z.shape), logProbability];
}

/** What sampling with PLU needs beside the parameters: inverse matrices [n, D, D]. Undefined without PLU. */
export function pluInverse(config: NinaConfig, { params, buffers }: Model): NDArray | undefined {
  if (!params.plu) return undefined;
  return flows.realNvpInverses(permutations(config, buffers), params.plu, pluRows(config, buffers));
}

function flow(
  config: NinaConfig,
  buffers: Buffers,
  p: Params<Tensor>,
  cond: Tensor,
  { dropout = noDropout, inverses }: { dropout?: Dropout; inverses?: Tensor } = {},
): flows.Bijection {
  return flows.realNvp(
    permutations(config, buffers),
    conditioners(config, p, cond, dropout),
    p.plu && { params: p.plu, rows: pluRows(config, buffers), inverses },
  );
}

function conditioners(config: NinaConfig, p: Params<Tensor>, cond: Tensor, dropout: Dropout): flows.Conditioner[] {
  if (config.backbone === 'mlp' && p.mlp) return mlpConditioners(p.mlp, cond);
  if (config.backbone === 'trans' && p.trans) return transformerConditioners(p.trans, config, cond, dropout);
  throw new Error(
    `The configuration says backbone ${config.backbone}, but the parameters are of ${Object.keys(p).join(', ')}.`,
  );
}

/** Of the D scalars: a permutation of time steps moves A neighbours at a time. */
function permutations({ backbone, n_layers, action_dim: A }: NinaConfig, buffers: Buffers): (readonly number[])[] {
  return layers(n_layers, buffers, 'permutation').map((order) =>
    backbone === 'mlp' ? order : order.flatMap((t) => Array.from({ length: A }, (_, a) => t * A + a)),
  );
}

const pluRows = ({ n_layers }: NinaConfig, buffers: Buffers) => layers(n_layers, buffers, 'plu');

function layers(n: number, buffers: Buffers, name: string): (readonly number[])[] {
  return Array.from({ length: n }, (_, i) => {
    const found = buffers[`${name}.${i}`];
    if (!found) throw new Error(`The decoder has no buffer ${name}.${i}; it has ${Object.keys(buffers).join(', ')}.`);
    return found;
  });
}

/** [B, T, A] to [B, D]. @throws Error naming both shapes if the chunk or the condition is not of the configured sizes. */
function vectors({ chunk_length: T, action_dim: A, cond_dim: C }: NinaConfig, chunk: Tensor, cond: Tensor): Tensor {
  const B = chunk.shape[0];
  if (chunk.shape.join() !== `${B},${T},${A}` || cond.shape.join() !== `${B},${C}`)
    throw new Error(
      `This decoder needs chunks [B, ${T}, ${A}] and conditions [B, ${C}]; got [${chunk.shape.join(', ')}] and [${cond.shape.join(', ')}].`,
    );
  return reshape(chunk, [B, T * A]);
}
