/**
 * The Transformer conditioner: the first T/2 time steps as tokens, mixed by self-attention and told the condition by
 * cross-attention, then two heads for scale and shift. No positional encoding, no mask, no feed-forward in between.
 *
 * Cross-attention sees one key, so its softmax is exactly 1 and it is a linear map of the condition,
 *   crossAttention(x, cond) = out(value(condProj(cond))),
 * the same for every query; its query, key and the norm before it cannot matter and do not exist here. Dropout on that
 * one attention weight (per head and query, in training) multiplies the heads of the value by the mask.
 */
import type { Conditioner } from '../../flows/index.ts';
import {
  type Attention,
  type Dropout,
  filled,
  initAttention,
  initLinear,
  initNorm,
  type Linear,
  layerNorm,
  linear,
  type Norm,
  selfAttention,
  uniform,
} from '../../nn/index.ts';
import { fold, type Key } from '../../random.ts';
import { add, broadcastTo, constant, gelu, mul, reshape, type Spec, split, type Tensor } from '../../tensor/index.ts';
import type { NinaConfig } from './config.ts';

/** What is left of cross-attention over one key: each maps rows of H, condProj rows of C. */
export type Cross<T> = { readonly condProj: Linear<T>; readonly value: Linear<T>; readonly out: Linear<T> };

export type TransformerParams<T> = {
  readonly layers: readonly {
    /** [H, A]. */
    readonly input: Linear<T>;
    readonly blocks: readonly { readonly norm: Norm<T>; readonly self: Attention<T>; readonly cross: Cross<T> }[];
    readonly norm: Norm<T>;
    /** The heads (scale, shift), stacks of 2: H to 2H, and 2H to A. */
    readonly widen: Linear<T>;
    readonly narrow: Linear<T>;
  }[];
};

export function initTransformerConditioners(
  key: Key,
  { n_layers, affine_dim: H, block_depth, cond_dim, action_dim }: NinaConfig,
): TransformerParams<Spec> {
  return {
    layers: Array.from({ length: n_layers }, (_, i) => {
      const k = fold(key, i);
      return {
        input: initLinear(fold(k, 'input'), action_dim, H),
        blocks: Array.from({ length: block_depth }, (_, j) => ({
          norm: initNorm(H),
          self: initAttention(fold(k, 'self', j), H),
          cross: initCross(fold(k, 'cross', j), cond_dim, H),
        })),
        norm: initNorm(H),
        widen: initLinear(fold(k, 'widen'), H, 2 * H, [2]),
        narrow: initLinear(fold(k, 'narrow'), 2 * H, action_dim, [2]),
      };
    }),
  };
}

/** The value projection starts as its part of PyTorch's packed Glorot-uniform projection [3H, H]. */
function initCross(key: Key, condDim: number, H: number): Cross<Spec> {
  return {
    condProj: initLinear(fold(key, 'condProj'), condDim, H),
    value: { weight: uniform(fold(key, 'value'), [H, H], Math.sqrt(6 / (4 * H))), bias: filled([H], 0) },
    out: { ...initLinear(fold(key, 'out'), H, H), bias: filled([H], 0) },
  };
}

/** cond [B, C] to one conditioner per layer, [B, T/2*A] to s and t of the same shape. */
export function transformerConditioners(
  p: TransformerParams<Tensor>,
  { chunk_length, action_dim: A, n_heads }: NinaConfig,
  cond: Tensor,
  dropout: Dropout,
): Conditioner[] {
  const tokens = chunk_length / 2;
  return p.layers.map((layer) => (x1) => {
    const B = x1.shape[0];
    let x = linear(layer.input, reshape(x1, [B, tokens, A])); // [B, T/2, H]
    for (const { norm, self, cross } of layer.blocks) {
      x = add(x, dropout(selfAttention(self, layerNorm(norm, x), n_heads, dropout)));
      const told = crossAttention(cross, cond, tokens, n_heads, dropout);
      x = add(x, dropout(broadcastTo(told, x.shape)));
    }
    const rows = reshape(layerNorm(layer.norm, x), [B * tokens, -1]);
    const [s, t] = split(linear(layer.narrow, dropout(gelu(linear(layer.widen, rows)))), 0, [1, 1]); // [1, B*T/2, A]
    return [reshape(s, x1.shape), reshape(t, x1.shape)];
  });
}

/** cond [B, C] to [B, 1, H], or to [B, T/2, H] when dropout makes queries differ. */
function crossAttention(p: Cross<Tensor>, cond: Tensor, tokens: number, heads: number, dropout: Dropout): Tensor {
  const B = cond.shape[0];
  const value = linear(p.value, linear(p.condProj, cond)); // [B, H]
  const H = value.shape[1];
  const certain = constant(new Float32Array(B * tokens * heads).fill(1), [B, tokens, heads, 1]);
  const weights = dropout(certain); // softmax over one key
  if (weights === certain) return linear(p.out, reshape(value, [B, 1, H]));
  const heard = mul(weights, reshape(value, [B, 1, heads, H / heads]));
  return linear(p.out, reshape(heard, [B, tokens, H]));
}
