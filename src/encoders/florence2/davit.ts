/**
 * Florence-2's image tower, DaViT (Ding et al., arXiv 2204.03645): four stages, each a convolution that makes patches and then
 * pairs of a spatial block (attention within windows) and a channel block (attention between channels).
 *
 * Tokens stay [M, N, C]; only convolutions see maps. Letters: M pictures, N tokens of a map of side H, C width, e depth of a head.
 */
import { type Dropout, type Linear, layerNorm, linear, mergeHeads, normedLinear, splitQkv } from '../../nn/index.ts';
import {
  add,
  conv2d,
  depthwise3x3,
  gelu,
  matmul,
  mul,
  reshape,
  softmax,
  type Tensor,
  transpose,
} from '../../tensor/index.ts';
import { type Florence2Config, sides } from './config.ts';
import type { Block, Tower } from './params.ts';
import { windowAttention } from './windows.ts';

/** What the stages begin and end with, [M, N, C] each; the last end is the tower's result. */
export interface Stages {
  /** After the convolution and its norm. */
  readonly embeds: readonly Tensor[];
  readonly ends: readonly Tensor[];
}

/** @param pixels [M, 3, P, P], normalised */
export function tower(config: Florence2Config, p: Tower<Tensor>, pixels: Tensor, dropout: Dropout): Stages {
  const { heads, groups, depths, window, drop_path } = config;
  const branches = 2 * depths.reduce((a, b) => a + b);
  const embeds: Tensor[] = [];
  const ends: Tensor[] = [];
  let branch = 0;
  sides(config).forEach((H, s) => {
    let x = patches(config, p, s, ends.at(-1) ?? pixels);
    embeds.push(x);
    const blockOf = (
      block: Block<Tensor, never>,
      { qkv, proj }: { readonly qkv: Linear<Tensor>; readonly proj: Linear<Tensor> },
      attend: (packed: Tensor) => Tensor,
    ) => {
      // Stochastic depth (Huang et al., arXiv 1603.09382): the later a branch, the more often a picture goes without it.
      const options = { rate: (drop_path * branch++) / (branches - 1), shape: [x.shape[0], 1, 1] };
      const skip = (y: Tensor) => dropout(y, options);
      x = convolved(block.conv1, x, H);
      x = add(x, skip(linear(proj, attend(normedLinear(block.norm1, qkv, x)))));
      x = convolved(block.conv2, x, H);
      const { fc1, fc2 } = block.ffn;
      x = add(x, skip(linear(fc2, gelu(normedLinear(block.norm2, fc1, x)))));
    };
    for (const { spatial_block, channel_block } of p.blocks[s]) {
      const { window_attn } = spatial_block;
      const { channel_attn } = channel_block;
      blockOf(spatial_block, window_attn, (packed) => windowAttention(packed, window_attn.qkv.bias, window, heads[s]));
      blockOf(channel_block, channel_attn, (packed) => channelAttention(packed, groups[s]));
    }
    ends.push(x);
  });
  return { embeds, ends };
}

/** The first stage is normalised after its convolution, the others before. */
function patches({ strides, pads }: Florence2Config, p: Tower<Tensor>, s: number, x: Tensor): Tensor {
  const { conv, norm } = p.convs[s];
  const map = s === 0 ? x : toMap(layerNorm(norm, x));
  const y = add(toTokens(conv2d(map, conv.weight, { stride: strides[s], pad: pads[s] })), conv.bias);
  return s === 0 ? layerNorm(norm, y) : y;
}

/** x + (depthwise convolution of x). */
function convolved({ weight, bias }: Linear<Tensor>, x: Tensor, H: number): Tensor {
  return add(depthwise3x3(x, weight, [H, H], { residual: true }), bias);
}

/** [M, N, C] to [M, C, H, H]. */
function toMap(x: Tensor): Tensor {
  const [M, N, C] = x.shape;
  const H = Math.sqrt(N);
  return reshape(transpose(x, [0, 2, 1]), [M, C, H, H]);
}

/** [M, C, H, H] to [M, N, C]. */
function toTokens(x: Tensor): Tensor {
  const [M, C, H, W] = x.shape;
  return transpose(reshape(x, [M, C, H * W]), [0, 2, 1]);
}

/**
 * From packed queries, keys and values [M, N, 3 C] to [M, N, C].
 *
 * Channels attend to channels of their group: softmax(q^T k / sqrt(N)) over the channels of k, applied to v. The scale is of
 * the number of tokens, so it depends on the picture's size.
 */
function channelAttention(packed: Tensor, groups: number): Tensor {
  const N = packed.shape[1];
  const [q, k, v] = splitQkv(packed, groups);
  const shares = softmax(mul(matmul(q, k, { transA: true }), 1 / Math.sqrt(N))); // [M, groups, e, e]
  return mergeHeads(matmul(v, shares, { transB: true }));
}
