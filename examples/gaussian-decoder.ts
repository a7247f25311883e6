/**
 * A decoder of one's own: a diagonal Gaussian over the chunk, its mean a linear map of what the encoder saw. Copied to
 * src/decoders/gaussian/decoder.ts and added to DECODERS in src/decoders/index.ts, it trains, is evaluated and exported
 * like the others (docs/extending.md).
 *
 *   log p(a | c) = -1/2 |(a - m(c)) / s|^2 - sum log s - D/2 log 2 pi,   a = m(c) + s z
 *
 * Letters: B batch, S tokens of width W, T chunk length, A action dimension, D = T*A.
 */
import * as z from 'zod';
import type { Decoder } from '../src/decoders/decoder.ts';
import { filled, initLinear, type Linear, linear } from '../src/nn/index.ts';
import {
  add,
  div,
  exp,
  mean,
  mul,
  neg,
  reshape,
  type Spec,
  square,
  sub,
  sum,
  type Tensor,
} from '../src/tensor/index.ts';

/** What a recipe chooses: every default, and the sentence that `nina train --set help` prints. */
const settings = z.strictObject({
  chunk_length: z.int().min(1).default(10).describe('control steps T of a chunk'),
});
/** What a checkpoint stores: beside the settings, the name and what the robot says. */
const schema = z.strictObject({ name: z.literal('gaussian'), ...settings.shape, action_dim: z.int().min(1) });

type Params<T> = { readonly mean: Linear<T>; readonly log_std: T };

const LOG_2_PI = 1.8378770664093453;

export const gaussian: Decoder<z.output<typeof schema>> = {
  name: 'gaussian',
  settings,
  schema,
  hasDensity: true,
  lossUnit: 'nats',
  pools: true,
  describe: () => 'diagonal Gaussian',
  blueprint: (
    key,
    { chunk_length: T, action_dim: A },
    W,
  ): { params: Params<Spec>; buffers: Record<string, never> } => ({
    params: { mean: initLinear(key, W, T * A), log_std: filled([T * A], -1) },
    buffers: {},
  }),
  contextShape: (_, B, __, W) => [B, W],
  inputs: () => ({}),
  draws: () => ({}),
  dropoutRate: () => 0,
  footprint: ({ chunk_length: T, action_dim: A }) => ({ row: 3 * T * A, nodes: 10 }),
  derived: () => ({}),
  bind({ chunk_length: T, action_dim: A }, _, parameters) {
    const p = parameters as Params<Tensor>;
    const D = T * A;
    const std = exp(p.log_std); // [D]
    const logProb = (actions: Tensor, seen: Tensor): Tensor => {
      const z = div(sub(reshape(actions, [seen.shape[0], D]), linear(p.mean, seen)), std); // [B, D]
      return sub(mul(sum(square(z), [1]), -0.5), add(sum(p.log_std), (D / 2) * LOG_2_PI)); // [B]
    };
    const sample = (z: Tensor, seen: Tensor): Tensor =>
      reshape(add(linear(p.mean, seen), mul(std, reshape(z, [seen.shape[0], D]))), z.shape);
    return {
      context: (tokens) => mean(tokens, [1]), // [B, S, W] to [B, W]; an encoder with padding gives a mask as well
      loss: (actions, seen) => neg(mean(logProb(actions, seen))),
      sample,
      density: {
        logProb,
        sampleAndLogProb(z, seen) {
          const actions = sample(z, seen);
          return [actions, logProb(actions, seen)];
        },
      },
    };
  },
};
