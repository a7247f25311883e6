/**
 * BART's encoder (Lewis et al., arXiv 1910.13461) over tokens of any origin: learned positions, a norm, and layers that are
 * normalised after each residual sum.
 */
import { attention, type Dropout, layerNorm, linear, mergeHeads, paddingMask, splitHeads } from '../../nn/index.ts';
import { add, gelu, reshape, slice, type Tensor } from '../../tensor/index.ts';
import type { LanguageModel } from './params.ts';

/** The first rows of the table of positions are of no use: they are what padding once had. */
export const POSITION_OFFSET = 2;

/**
 * tokens [B, S, d], same shape out.
 * @param real [B, S]: 1 for a token, 0 for padding, which nothing attends to; all are tokens unless given
 */
export function bartEncoder(
  p: LanguageModel<Tensor>['encoder'],
  heads: number,
  tokens: Tensor,
  real: Tensor | undefined,
  dropout: Dropout,
): Tensor {
  const [B, S] = tokens.shape;
  const positions = slice(p.embed_positions.weight, 0, POSITION_OFFSET, POSITION_OFFSET + S);
  const mask = real && reshape(paddingMask(real), [B, 1, 1, S]);
  let x = dropout(layerNorm(p.layernorm_embedding, add(tokens, positions)));
  for (const layer of p.layers) {
    const { q_proj, k_proj, v_proj, out_proj } = layer.self_attn;
    const [q, k, v] = [q_proj, k_proj, v_proj].map((projection) => splitHeads(linear(projection, x), heads));
    const attended = linear(out_proj, mergeHeads(attention(q, k, v, { mask, dropout })));
    x = layerNorm(layer.self_attn_layer_norm, add(x, dropout(attended)));
    const hidden = dropout(gelu(linear(layer.fc1, x)));
    x = layerNorm(layer.final_layer_norm, add(x, dropout(linear(layer.fc2, hidden))));
  }
  return x;
}
