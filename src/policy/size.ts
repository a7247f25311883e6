/**
 * How large a policy is, from its configuration alone: the numbers of its large matrices and the nodes of its graphs.
 * Both are estimates from below (biases, norms and vocabularies are left out), for refusing what cannot fit.
 */
import type { DecoderConfig } from '../decoders/index.ts';
import { type StateSettings, tokenWidth } from '../encoders/state/index.ts';

export interface Size {
  /** Trained numbers. */
  readonly parameters: number;
  /** Numbers that one row of a batch needs: its chunk and noise, and what each layer keeps for the gradient. */
  readonly row: number;
  /** Operations of the graph that samples. */
  readonly nodes: number;
}

/** @returns at most what the policy of this configuration really has */
export function leastSize(encoder: StateSettings, decoder: DecoderConfig): Size {
  const { encoder_dim: E, encoder_blocks } = encoder;
  const W = tokenWidth(encoder);
  const seen = E * E * (10 + 8 * encoder_blocks) + W * (5 * E + W);
  const own = decoderSize(decoder, W);
  return { ...own, parameters: seen + own.parameters };
}

/** Letters: n layers, H or d width, C condition, T steps, A action dimension, D = T*A. */
function decoderSize(decoder: DecoderConfig, W: number): Size {
  const { chunk_length: T, action_dim: A, n_layers: n } = decoder;
  const D = T * A;
  switch (decoder.decoder) {
    case 'nina': {
      const { affine_dim: H, cond_dim: C, block_depth, use_plu } = decoder;
      const plu = use_plu ? 2 * D * D : 0;
      const mlp = { weights: 2 * H * C + 2 * H * D + 2 * H * H, row: 4 * H + 2 * D };
      const trans = { weights: block_depth * (C + 6 * H) * H + 4 * H * H, row: (T / 2) * H * (2 + 4 * block_depth) };
      const layer = decoder.backbone === 'mlp' ? mlp : trans;
      const nodes = n * (decoder.backbone === 'mlp' ? 10 : 15 * block_depth);
      return { parameters: W * C + n * (layer.weights + plu), row: 2 * D + n * layer.row, nodes };
    }
    case 'flower': {
      const { dit_dim: d, num_sampling_steps } = decoder;
      const block = 16 * d * d + 7 * 256 * d;
      return { parameters: n * block + 12 * d * d, row: 2 * D + n * T * d * 8, nodes: 20 * n * num_sampling_steps };
    }
    case 'regression': {
      const { hidden_dim: H, cond_dim: C } = decoder;
      return { parameters: C * (W + H) + (n - 1) * H * H + H * D, row: 2 * D + n * H, nodes: 2 * n };
    }
  }
}
