/**
 * One block of the Transformer: causal self-attention and a gated perceptron, both modulated by the time (AdaLN, Peebles
 * and Xie, arXiv 2212.09748), and between them cross-attention to every token of the encoder:
 *   x += gateA * selfAttention(norm1(x) * (1 + scaleA) + shiftA)
 *   x += crossAttention(norm2(x), tokens)
 *   x += gateM * swiglu(norm3(x) * (1 + scaleM) + shiftM)
 *
 * What depends on the encoder's tokens alone (`remember`) is apart from what each denoising step computes.
 */
import {
  attention,
  causalMask,
  type Dropout,
  mergeHeads,
  rmsNorm,
  rotary,
  splitHeads,
  swiglu,
} from '../../nn/index.ts';
import { add, concat, linear, mul, reshape, split, type Tensor, transpose } from '../../tensor/index.ts';
import type { FlowerConfig } from './config.ts';
import type { Block, CrossAttention, SelfAttention } from './params.ts';

/**
 * Keys (already divided by sqrt(depth)) and values of cross-attention, both [B, heads, S, depth]; the mask [B, 1, 1, S] that
 * keeps it from padding, where there is any.
 */
export type Memory = { readonly keys: Tensor; readonly values: Tensor; readonly mask?: Tensor };

/** The part of a block's cross-attention that does not depend on the actions. tokens [B, S, d]. */
export function remember({ k_proj, v_proj, k_norm }: CrossAttention<Tensor>, tokens: Tensor, heads: number): Memory {
  const keys = rmsNorm(k_norm, splitHeads(linear(tokens, k_proj.weight), heads));
  return {
    keys: mul(keys, 1 / Math.sqrt(keys.shape[3])),
    values: splitHeads(linear(tokens, v_proj.weight), heads),
  };
}

/** x [B, T, d], same shape out. modulation [B or 1, 6d]: shift, scale, gate of attention, then of the perceptron. */
export function block(
  config: FlowerConfig,
  p: Block<Tensor>,
  x: Tensor,
  memory: Memory,
  modulation: Tensor,
  dropout: Dropout,
): Tensor {
  const d = config.dit_dim;
  const rows = reshape(modulation, [modulation.shape[0], 1, 6 * d]);
  const [shiftA, scaleA, gateA, shiftM, scaleM, gateM] = split(rows, 2, Array(6).fill(d)) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  const modulate = (y: Tensor, scale: Tensor, shift: Tensor) => add(mul(y, add(scale, 1)), shift);

  const mixed = selfAttention(config, p.self_attn, modulate(rmsNorm(p.norm1, x), scaleA, shiftA), dropout);
  let y = add(x, mul(gateA, dropout(mixed)));
  y = add(y, dropout(crossAttention(config, p.cross_attn, rmsNorm(p.norm2, y), memory, dropout)));
  const bent = swiglu(p.mlp, modulate(rmsNorm(p.norm3, y), scaleM, shiftM), dropout);
  return add(y, mul(gateM, bent));
}

/** Every time step attends to itself and those before it. x [B, T, d], same shape out. */
function selfAttention(
  { n_heads, rope_theta }: FlowerConfig,
  p: SelfAttention<Tensor>,
  x: Tensor,
  dropout: Dropout,
): Tensor {
  const [B, T, d] = x.shape as [number, number, number];
  const depth = d / n_heads;
  const packed = transpose(reshape(linear(x, p.qkv.weight), [B, T, 3, n_heads, depth]), [2, 0, 3, 1, 4]);
  const [queriesKeys, v] = split(packed, 0, [2, 1]);
  // Queries and keys differ only in the weights of their norms, so they are normalised and turned together.
  const weight = reshape(concat([p.q_norm.weight, p.k_norm.weight], 0), [2, 1, 1, 1, depth]);
  const [q, k] = split(rotary(rmsNorm({ weight }, queriesKeys), rope_theta), 0, [1, 1]);
  const one = (t: Tensor) => reshape(t, [B, n_heads, T, depth]);
  const mixed = attention(one(q), one(k), one(v), { mask: causalMask(T), dropout });
  return linear(mergeHeads(mixed), p.proj.weight);
}

/** Every time step attends to every token of the encoder. x [B, T, d], same shape out. */
function crossAttention(
  { n_heads }: FlowerConfig,
  p: CrossAttention<Tensor>,
  x: Tensor,
  { keys, values, mask }: Memory,
  dropout: Dropout,
): Tensor {
  const queries = rmsNorm(p.q_norm, splitHeads(linear(x, p.q_proj.weight), n_heads));
  return linear(mergeHeads(attention(queries, keys, values, { scale: 1, mask, dropout })), p.proj.weight);
}
