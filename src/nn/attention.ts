/** Multi-head self-attention (Vaswani et al., arXiv 1706.03762) with PyTorch's parameter names. */
import { fold, type Key } from '../random.ts';
import {
  add,
  linear as affine,
  matmul,
  mul,
  type NDArray,
  reshape,
  softmax,
  split,
  type Tensor,
  transpose,
} from '../tensor/index.ts';
import type { Dropout } from './dropout.ts';
import { initLinear, type Linear, linear, uniform } from './linear.ts';

/** in_proj_weight [3E, E] and in_proj_bias [3E] hold query, key and value in this order. */
export interface Attention<P> {
  readonly in_proj_weight: P;
  readonly in_proj_bias: P;
  readonly out_proj: Linear<P>;
}

/** Xavier-uniform projections and zero biases, as PyTorch's MultiheadAttention. */
export function initAttention(key: Key, size: number): Attention<NDArray> {
  return {
    in_proj_weight: uniform(fold(key, 'in'), [3 * size, size], Math.sqrt(6 / (4 * size))),
    in_proj_bias: { shape: [3 * size], data: new Float32Array(3 * size) },
    out_proj: {
      weight: initLinear(fold(key, 'out'), size, size).weight,
      bias: { shape: [size], data: new Float32Array(size) },
    },
  };
}

/**
 * x [B, S, E] -> [B, S, E].
 * @param heads must divide E.
 * @param bias [B, 1, 1, S] added to the scores of each key: 0 to attend, a large negative number to ignore.
 */
export function selfAttention(p: Attention<Tensor>, x: Tensor, heads: number, dropout: Dropout, bias?: Tensor): Tensor {
  const [B, S, E] = x.shape as [number, number, number];
  if (E % heads !== 0) throw new Error(`Attention needs heads that divide its width; got ${heads} heads of ${E}.`);
  const [q, k, v] = split(affine(x, p.in_proj_weight, p.in_proj_bias), -1, [E, E, E]).map((part) =>
    transpose(reshape(part, [B, S, heads, E / heads]), [0, 2, 1, 3]),
  ) as [Tensor, Tensor, Tensor]; // [B, heads, S, E / heads]
  const scores = mul(matmul(q, k, { transB: true }), 1 / Math.sqrt(E / heads)); // [B, heads, S, S]
  const weights = dropout(softmax(bias ? add(scores, bias) : scores));
  const mixed = reshape(transpose(matmul(weights, v), [0, 2, 1, 3]), [B, S, E]);
  return linear(p.out_proj, mixed);
}
