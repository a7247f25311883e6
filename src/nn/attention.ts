/**
 * Multi-head self-attention (Vaswani et al., arXiv 1706.03762) as PyTorch's MultiheadAttention: biases, dropout on the
 * attention weights, no mask and no positional encoding.
 */
import { fold, type Key } from '../random.ts';
import { add, matmul, mul, reshape, type Spec, softmax, split, type Tensor, transpose } from '../tensor/index.ts';
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

/**
 * Every token attends to every token of its row. x [B, S, E] to [B, S, E].
 * @param mask [B, 1, 1, S] added to the scores: 0 for tokens to attend to, a large negative number for those to ignore.
 * @throws Error if E is not divisible by the number of heads.
 */
export function selfAttention(
  p: Attention<Tensor>,
  x: Tensor,
  heads: number,
  dropout: Dropout = noDropout,
  mask?: Tensor,
): Tensor {
  const [batch, tokens, width] = x.shape as [number, number, number];
  const depth = width / heads;
  if (!Number.isInteger(depth))
    throw new Error(`Attention needs a width divisible by its heads; got width ${width} and ${heads} heads.`);
  const packed = reshape(linear(p.qkv, x), [batch, tokens, 3, heads, depth]);
  const [q, k, v] = split(transpose(packed, [2, 0, 3, 1, 4]), 0, [1, 1, 1]).map((t) =>
    reshape(t, [batch, heads, tokens, depth]),
  ) as [Tensor, Tensor, Tensor];
  const scores = mul(matmul(q, k, { transB: true }), 1 / Math.sqrt(depth));
  const weights = dropout(softmax(mask ? add(scores, mask) : scores));
  const mixed = transpose(matmul(weights, v), [0, 2, 1, 3]);
  return linear(p.out, reshape(mixed, [batch, tokens, width]));
}
