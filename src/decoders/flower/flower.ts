/**
 * FLOWER's rectified flow (Reuss et al., arXiv 2509.04996; Liu et al., arXiv 2209.03003): a Transformer learns the
 * velocity eps - a of the straight line z_t = (1 - t) a + t eps between actions and noise, and a sample follows it from
 * noise at t = 1 to actions at t = 0 in N Euler steps.
 *
 * Letters: B batch, T chunk length, A action dimension, S tokens of the encoder, E their width, d width, N steps.
 * Features are the tokens [B, S, E], or [B, S, E + 1] where some are padding: the last number is 1 for real ones, else 0.
 *
 * A step depends on three things: the encoder's tokens (`remember`, once per sample), the times (`modulations`, all N
 * steps as one batch, the same for every row), and the actions so far, which alone are left in the loop.
 */
import { exp, log } from '../../math.ts';
import { linear as affine, type Dropout, noDropout, paddingMask, rmsNorm } from '../../nn/index.ts';
import {
  add,
  concat,
  constant,
  cos,
  gelu,
  layerNorm,
  linear,
  mean,
  mul,
  reshape,
  silu,
  sin,
  slice,
  split,
  square,
  sub,
  type Tensor,
} from '../../tensor/index.ts';
import * as blocks from './block.ts';
import type { FlowerConfig } from './config.ts';
import { type Embedder, type Params, WAVES } from './params.ts';

/** The control frequency of the one action space that is built, in the reference's unit. */
const FREQUENCY = 3;

/**
 * The velocity [B, T, A] at z [B, T, A], times t [B] in [0, 1] and encoder tokens features [B, S, E].
 * @throws Error naming the shapes if one is not of the configured sizes.
 */
export function velocity(
  config: FlowerConfig,
  p: Params<Tensor>,
  z: Tensor,
  t: Tensor,
  features: Tensor,
  dropout: Dropout = noDropout,
): Tensor {
  check(config, p, z, features);
  if (t.shape.join() !== `${z.shape[0]}`)
    throw new Error(`This decoder needs one time per chunk, [${z.shape[0]}]; got [${t.shape.join(', ')}].`);
  return step(config, p, z, remember(config, p, features), modulations(p, t), dropout);
}

/**
 * The mean squared error of the velocity: a scalar. actions and noise [B, T, A], features [B, S, E], t [B] as drawn by
 * `sampleTimes`.
 */
export function loss(
  config: FlowerConfig,
  p: Params<Tensor>,
  actions: Tensor,
  features: Tensor,
  noise: Tensor,
  t: Tensor,
  dropout: Dropout = noDropout,
): Tensor {
  const z = between(actions, noise, t);
  return mean(square(sub(velocity(config, p, z, t, features, dropout), sub(noise, actions))));
}

/** z_t = (1 - t) actions + t noise, [B, T, A], at times t [B]. */
export function between(actions: Tensor, noise: Tensor, t: Tensor): Tensor {
  return add(actions, mul(reshape(t, [t.shape[0], 1, 1]), sub(noise, actions)));
}

/** Actions [B, T, A] from noise z [B, T, A] given features [B, S, E], not clamped, in `num_sampling_steps` Euler steps. */
export function sample(config: FlowerConfig, p: Params<Tensor>, z: Tensor, features: Tensor): Tensor {
  check(config, p, z, features);
  const N = config.num_sampling_steps;
  const memories = remember(config, p, features);
  const times = constant(
    Array.from({ length: N }, (_, i) => (N - i) / N),
    [N],
  );
  const all = modulations(p, times);
  let x = z;
  for (let i = 0; i < N; i++) {
    const now = all.map((modulation) => slice(modulation, 0, i, i + 1));
    x = sub(x, mul(step(config, p, x, memories, now, noDropout), 1 / N));
  }
  return x;
}

/** What the blocks need of the features. */
function remember(config: FlowerConfig, p: Params<Tensor>, features: Tensor): blocks.Memory[] {
  const [B, S, width] = features.shape as [number, number, number];
  const E = p.cond_norm.weight.shape[0];
  const [tokens, real] = width === E ? [features] : split(features, 2, [E, 1]);
  const seen = linear(rmsNorm(p.cond_norm, tokens), p.cond_linear.weight); // [B, S, d]
  const mask = real && reshape(paddingMask(reshape(real, [B, S])), [B, 1, 1, S]);
  return p.dit.map(({ cross_attn }) => ({
    ...blocks.remember(cross_attn, seen, config.n_heads),
    ...(mask && { mask }),
  }));
}

/** What the blocks need of times t [K]: the shifts, scales and gates of each, [K, 6d]. Functions of the weights and t alone. */
function modulations(p: Params<Tensor>, t: Tensor): Tensor[] {
  const K = t.shape[0];
  const time = embed(p.t_embedder, waves(reshape(t, [K, 1]), 1000, 1e4));
  const frequency = embed(p.frequency_embedder, waves(constant([FREQUENCY], [1, 1]), 1, 1000));
  const normalise = (x: Tensor) => layerNorm(x, undefined, undefined, 1e-6);
  const c = silu(add(normalise(time), normalise(frequency))); // [K, d]
  const table = p.adaln.eef_delta.modCX[1].weight;
  // The reference's table has nine chunks, and blocks like these use six.
  const shared = linear(c, slice(table, 0, 0, 6 * table.shape[1]));
  return p.dit.map(({ adaLN_modulation: own }) => add(shared, affine(own[2], affine(own[1], c))));
}

/** The velocity at z [B, T, A]; modulations of [B, 6d] or, for one time, [1, 6d]. */
function step(
  config: FlowerConfig,
  p: Params<Tensor>,
  z: Tensor,
  memories: readonly blocks.Memory[],
  modulations: readonly Tensor[],
  dropout: Dropout,
): Tensor {
  const { fc1, fc2 } = p.action_encoders.eef_delta;
  let x = affine(fc2, gelu(affine(fc1, z))); // [B, T, d]
  p.dit.forEach((block, i) => {
    x = blocks.block(config, block, x, memories[i], modulations[i], dropout);
  });
  return affine(p.action_decoders.eef_delta, x);
}

/** Numbers [K, 1] as cosines and sines [K, WAVES] of x * first * ratio^(-k / half), k = 0..half-1. */
function waves(x: Tensor, first: number, ratio: number): Tensor {
  const half = WAVES / 2;
  const frequencies = Array.from({ length: half }, (_, k) => first * exp((-log(ratio) * k) / half));
  const angles = mul(x, constant(frequencies, [1, half]));
  return concat([cos(angles), sin(angles)], 1);
}

function embed({ mlp }: Embedder<Tensor>, x: Tensor): Tensor {
  return affine(mlp[2], silu(affine(mlp[0], x)));
}

function check(
  { chunk_length: T, action_dim: A }: FlowerConfig,
  p: Params<Tensor>,
  chunk: Tensor,
  features: Tensor,
): void {
  const [B, , width] = features.shape;
  const E = p.cond_norm.weight.shape[0];
  if (chunk.shape.join() !== `${B},${T},${A}` || features.shape.length !== 3 || (width !== E && width !== E + 1))
    throw new Error(
      `This decoder needs chunks [B, ${T}, ${A}] and features [B, S, ${E}]; got [${chunk.shape.join(', ')}] and [${features.shape.join(', ')}].`,
    );
}
