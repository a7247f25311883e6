/**
 * The parameters of the decoder: one tree that says every name (the reference's), shape and initial value.
 *
 * Letters: d width, E width of the encoder's tokens, A action dimension.
 */
import { filled, type Linear, type RmsNorm, type SwiGlu, swigluHidden, uniform } from '../../nn/index.ts';
import { fold, type Key } from '../../random.ts';
import { mapTree, type Shape, type Spec } from '../../tensor/index.ts';
import type { FlowerConfig } from './config.ts';

/** A linear map [out, in] without bias. */
export type Projection<T> = { readonly weight: T };

/** Linear, SiLU, Linear over 256 waves of a number. */
export type Embedder<T> = { readonly mlp: { readonly 0: Linear<T>; readonly 2: Linear<T> } };

export type SelfAttention<T> = {
  readonly qkv: Projection<T>;
  readonly proj: Projection<T>;
  /** Per head: [d / heads]. */
  readonly q_norm: RmsNorm<T>;
  readonly k_norm: RmsNorm<T>;
};

export type CrossAttention<T> = {
  readonly q_proj: Projection<T>;
  readonly k_proj: Projection<T>;
  readonly v_proj: Projection<T>;
  readonly proj: Projection<T>;
  readonly q_norm: RmsNorm<T>;
  readonly k_norm: RmsNorm<T>;
};

export type Block<T> = {
  readonly norm1: RmsNorm<T>;
  readonly norm2: RmsNorm<T>;
  readonly norm3: RmsNorm<T>;
  readonly self_attn: SelfAttention<T>;
  readonly cross_attn: CrossAttention<T>;
  readonly mlp: SwiGlu<T>;
  /** d to 256 to 6d. */
  readonly adaLN_modulation: { readonly 1: Linear<T>; readonly 2: Linear<T> };
};

export type Params<T> = {
  readonly cond_norm: RmsNorm<T>;
  readonly cond_linear: Projection<T>;
  readonly t_embedder: Embedder<T>;
  readonly frequency_embedder: Embedder<T>;
  readonly action_encoders: { readonly eef_delta: { readonly fc1: Linear<T>; readonly fc2: Linear<T> } };
  readonly action_decoders: { readonly eef_delta: Linear<T> };
  /** [9d, d], of which the reference uses the first 6d rows. */
  readonly adaln: { readonly eef_delta: { readonly modCX: { readonly 1: Projection<T> } } };
  readonly dit: readonly Block<T>[];
};

/** The waves that embed a number: as many cosines as sines. */
export const WAVES = 256;
/** Width of the bottleneck of a block's own modulation. */
const LORA_DIM = 256;

/** A parameter's shape, and uniform within +-bound or one constant: PyTorch's defaults. */
type Plan = { readonly shape: Shape } & ({ readonly bound: number } | { readonly value: number });

/** A fresh decoder for tokens of width E; a parameter's numbers depend on the key and its own name alone. */
export function blueprint(key: Key, config: FlowerConfig, E: number): Params<Spec> {
  return mapTree(plan(config, E), (leaf: Plan, path) => {
    // Matrices decay; biases and norms do not.
    const decay = leaf.shape.length >= 2;
    if ('bound' in leaf) return uniform(fold(key, path), leaf.shape, leaf.bound, { decay });
    return filled(leaf.shape, leaf.value, { decay });
  });
}

function plan({ dit_dim: d, n_heads, n_layers, action_dim: A }: FlowerConfig, E: number): Params<Plan> {
  const projection = (width: number, out: number) => ({ weight: { shape: [out, width], bound: 1 / Math.sqrt(width) } });
  const affine = (width: number, out: number) => ({
    ...projection(width, out),
    bias: { shape: [out], bound: 1 / Math.sqrt(width) },
  });
  const norm = (width: number) => ({ weight: { shape: [width], value: 1 } });
  const headNorms = () => ({ q_norm: norm(d / n_heads), k_norm: norm(d / n_heads) });
  const hidden = swigluHidden(d);
  return {
    cond_norm: norm(E),
    cond_linear: projection(E, d),
    t_embedder: { mlp: { 0: affine(WAVES, d), 2: affine(d, d) } },
    frequency_embedder: { mlp: { 0: affine(WAVES, d), 2: affine(d, d) } },
    action_encoders: { eef_delta: { fc1: affine(A, d), fc2: affine(d, d) } },
    action_decoders: { eef_delta: affine(d, A) },
    adaln: { eef_delta: { modCX: { 1: { weight: { shape: [9 * d, d], value: 0 } } } } },
    dit: Array.from({ length: n_layers }, () => ({
      norm1: norm(d),
      norm2: norm(d),
      norm3: norm(d),
      self_attn: { qkv: projection(d, 3 * d), proj: projection(d, d), ...headNorms() },
      cross_attn: {
        q_proj: projection(d, d),
        k_proj: projection(d, d),
        v_proj: projection(d, d),
        proj: projection(d, d),
        ...headNorms(),
      },
      mlp: { fc1: projection(d, hidden), fc2: projection(d, hidden), proj: projection(hidden, d) },
      adaLN_modulation: { 1: affine(d, LORA_DIM), 2: affine(LORA_DIM, 6 * d) },
    })),
  };
}
