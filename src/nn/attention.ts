/**
 * Attention (Vaswani et al., arXiv 1706.03762), softmax(q k^T scale + mask) v, and multi-head self-attention as PyTorch's
 * MultiheadAttention: biases, dropout on the attention weights, no positional encoding.
 */
import { fold, type Key } from '../random.ts';
import {
  add,
  constant,
  matmul,
  mul,
  reshape,
  type Spec,
  softmax,
  split,
  sub,
  type Tensor,
  transpose,
} from '../tensor/index.ts';
import { type Dropout, noDropout } from './dropout.ts';
import { filled, uniform } from './init.ts';
import { initLinear, type Linear, linear } from './linear.ts';

/** qkv maps [.., E] to queries, keys and values [.., 3E] in one product; out mixes the heads. */
export type Attention<T> = { readonly qkv: Linear<T>; readonly out: Linear<T> };

/** PyTorch's default: Glorot-uniform over the packed projection, zero biases. */
export function initAttention(key: Key, width: number): Attention<Spec> {
  return {
    qkv: {
      weight: uniform(fold(key, 'qkv'), [3 * width, width], Math.sqrt(6 / (4 * width))),
      bias: filled([3 * width], 0),
    },
    out: { ...initLinear(fold(key, 'out'), width, width), bias: filled([width], 0) },
  };
}

export interface AttentionOptions {
  /**
   * Added to the scores, of any shape that broadcasts to [..., Q, S]: 0 for keys to attend to, `NEVER` for those to ignore.
   * See `causalMask` and `paddingMask`.
   */
  readonly mask?: Tensor;
  /** Factor of the scores, 1 / sqrt(depth) unless given. */
  readonly scale?: number;
  /** Of the attention weights. */
  readonly dropout?: Dropout;
}

/** Softmax takes this for minus infinity: exp of it is exactly 0 in float32. */
const NEVER = -1e9;

/** Queries [..., Q, depth], keys [..., S, depth] and values [..., S, width] to [..., Q, width]. */
export function attention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  { mask, scale = 1 / Math.sqrt(k.shape.at(-1)!), dropout = noDropout }: AttentionOptions = {},
): Tensor {
  const scores = mul(matmul(q, k, { transB: true }), scale);
  return matmul(dropout(softmax(mask ? add(scores, mask) : scores)), v);
}

/** The mask [T, T] by which each of T tokens attends to itself and those before it. */
export function causalMask(T: number): Tensor {
  return constant(
    Float32Array.from({ length: T * T }, (_, i) => (i % T > Math.floor(i / T) ? NEVER : 0)),
    [T, T],
  );
}

/** The mask [B, 1, S] by which nothing attends to padding, from real [B, S]: 1 for what is there, 0 for padding. */
export function paddingMask(real: Tensor): Tensor {
  const [B, S] = real.shape;
  return reshape(mul(sub(1, real), NEVER), [B, 1, S]);
}

/** [B, S, E] to [B, heads, S, E / heads]. @throws Error if E is not divisible by the number of heads. */
export function splitHeads(x: Tensor, heads: number): Tensor {
  const [B, S, E] = x.shape;
  return transpose(reshape(x, [B, S, heads, depthOf(E, heads)]), [0, 2, 1, 3]);
}

/** [B, heads, S, depth] to [B, S, heads * depth]. */
export function mergeHeads(x: Tensor): Tensor {
  const [B, heads, S, depth] = x.shape;
  return reshape(transpose(x, [0, 2, 1, 3]), [B, S, heads * depth]);
}

/**
 * Packed queries, keys and values [B, S, 3E] to three of [B, heads, S, E / heads].
 * @throws Error if E is not divisible by the number of heads.
 */
export function splitQkv(packed: Tensor, heads: number): [q: Tensor, k: Tensor, v: Tensor] {
  const [B, S, all] = packed.shape;
  const depth = depthOf(all / 3, heads);
  const apart = transpose(reshape(packed, [B, S, 3, heads, depth]), [2, 0, 3, 1, 4]);
  return split(apart, 0, [1, 1, 1]).map((t) => reshape(t, [B, heads, S, depth])) as [Tensor, Tensor, Tensor];
}

function depthOf(width: number, heads: number): number {
  const depth = width / heads;
  if (!Number.isInteger(depth))
    throw new Error(`Attention needs a width divisible by its heads; got width ${width} and ${heads} heads.`);
  return depth;
}

/**
 * Every token attends to every token of its row. x [B, S, E] to [B, S, E].
 * @param mask broadcasts to the scores [B, heads, S, S], see `attention`.
 * @throws Error if E is not divisible by the number of heads.
 */
export function selfAttention(
  p: Attention<Tensor>,
  x: Tensor,
  heads: number,
  dropout: Dropout = noDropout,
  mask?: Tensor,
): Tensor {
  const [q, k, v] = splitQkv(linear(p.qkv, x), heads);
  return linear(p.out, mergeHeads(attention(q, k, v, { mask, dropout })));
}
