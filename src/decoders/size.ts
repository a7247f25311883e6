/**
 * How many numbers a configuration's decoder holds at least, without building it: weights that are read must be as many,
 * so a configuration that asks for more than its file holds is refused before memory is.
 */
import { swigluHidden } from '../nn/index.ts';
import type { DecoderConfig } from './config.ts';
import type { FlowerConfig } from './flower/index.ts';
import type { NinaConfig } from './nina/index.ts';
import type { RegressionConfig } from './regression/index.ts';

/** Weights and permutations; the matrices of every layer are counted, what is beside them may be left out. */
export function leastNumbers(config: DecoderConfig): number {
  switch (config.decoder) {
    case 'nina':
      return leastNumbersOfNina(config);
    case 'flower':
      return leastNumbersOfFlower(config);
    case 'regression':
      return leastNumbersOfRegression(config);
  }
}

export function leastNumbersOfNina(config: NinaConfig): number {
  const {
    backbone,
    n_layers,
    affine_dim: H,
    block_depth,
    use_plu,
    cond_dim: C,
    chunk_length: T,
    action_dim: A,
  } = config;
  const D = T * A;
  const mlp = 2 * H * (C + D / 2) + 2 * (H * H + (H * D) / 2);
  // Of the cross-attention, only what maps the condition and its value matter.
  const trans = H * A + block_depth * (4 * H * H + H * C + H * H) + 2 * (2 * H * H);
  const layer = backbone === 'mlp' ? D + mlp : T + trans;
  return n_layers * (layer + (use_plu ? 2 * D * D : 0));
}

export function leastNumbersOfFlower({ dit_dim: d, n_layers, embed_dim: E, action_dim: A }: FlowerConfig): number {
  return n_layers * (8 * d * d + 3 * d * swigluHidden(d)) + d * (E + A + 9 * d);
}

function leastNumbersOfRegression(config: RegressionConfig): number {
  const { hidden_dim: H, n_layers, cond_dim: C, chunk_length, action_dim } = config;
  return C * H + (n_layers - 1) * H * H + H * chunk_length * action_dim;
}
