/**
 * The parameters of a Florence-2 encoder: one tree that says every name (transformers', without the prefix `model.`), shape and
 * initial value, and beside them the token <Flow> and the projection of the robot's state.
 *
 * Linear maps begin as Glorot and Bengio drew them, convolutions with the variance of their input; biases are zero.
 */
import { filled, initNorm, type Linear, type Norm, uniform } from '../../nn/index.ts';
import { fold, type Key } from '../../random.ts';
import { mapTree, type Shape, type Spec } from '../../tensor/index.ts';
import { type Florence2Config, MAP_SIDE } from './config.ts';

/** One of a spatial (window) and a channel block. */
export type Block<T, Name extends string> = {
  readonly [name in Name]: { readonly qkv: Linear<T>; readonly proj: Linear<T> };
} & {
  /** Depthwise, [C, 1, 3, 3]. */
  readonly conv1: Linear<T>;
  readonly norm1: Norm<T>;
  readonly conv2: Linear<T>;
  readonly norm2: Norm<T>;
  readonly ffn: { readonly fc1: Linear<T>; readonly fc2: Linear<T> };
};

export type Tower<T> = {
  /** Per stage; conv [C, C of the stage before, k, k]. */
  readonly convs: readonly { readonly conv: Linear<T>; readonly norm: Norm<T> }[];
  /** Per stage and depth. */
  readonly blocks: readonly (readonly {
    readonly spatial_block: Block<T, 'window_attn'>;
    readonly channel_block: Block<T, 'channel_attn'>;
  }[])[];
};

export type Projector<T> = {
  readonly image_projection: { readonly weight: T };
  readonly image_proj_norm: Norm<T>;
  readonly image_position_embed: {
    readonly row_embeddings: { readonly weight: T };
    readonly column_embeddings: { readonly weight: T };
  };
};

export type Layer<T> = {
  readonly self_attn: {
    readonly k_proj: Linear<T>;
    readonly v_proj: Linear<T>;
    readonly q_proj: Linear<T>;
    readonly out_proj: Linear<T>;
  };
  readonly self_attn_layer_norm: Norm<T>;
  readonly fc1: Linear<T>;
  readonly fc2: Linear<T>;
  readonly final_layer_norm: Norm<T>;
};

export type LanguageModel<T> = {
  /** [vocabulary, d] */
  readonly shared: { readonly weight: T };
  readonly encoder: {
    /** [positions + 2, d]: the first two rows are never read. */
    readonly embed_positions: { readonly weight: T };
    readonly layernorm_embedding: Norm<T>;
    readonly layers: readonly Layer<T>[];
  };
};

export type Params<T> = {
  readonly vision_tower: Tower<T>;
  readonly multi_modal_projector: Projector<T>;
  readonly language_model: LanguageModel<T>;
  /** [d] */
  readonly flow_token: T;
  /** P -> d, where the state has a token. */
  readonly proprio?: Linear<T>;
};

/** Standard deviations of what no product determines. */
const WORD_STD = 0.02;
const PLACE_STD = 0.5;
const DEPTHWISE_STD = 0.05;

/** Fresh parameters; the numbers of each depend on the key and its own name alone. */
export function blueprint(key: Key, config: Florence2Config): Params<Spec> {
  return mapTree(plan(config), (leaf: Plan, path) => {
    if ('draw' in leaf) return leaf;
    const bound = leaf.std * Math.sqrt(3);
    return uniform(fold(key, path), leaf.shape, bound, { decay: leaf.shape.length >= 2 });
  });
}

/** Numbers that are drawn with a standard deviation, or are known. */
type Plan = { readonly shape: Shape; readonly std: number } | Spec;

function plan(config: Florence2Config): Params<Plan> {
  const { dims, depths, patch_sizes, width: d, ffn, vocabulary, positions, layers, state_size } = config;
  const D = dims[3];
  const drawn = (shape: Shape, std: number) => ({ weight: { shape, std } });
  const biased = (shape: Shape, std: number) => ({ ...drawn(shape, std), bias: filled([shape[0]], 0) });
  const linear = (from: number, to: number) => biased([to, from], Math.sqrt(2 / (from + to)));
  const depthwise = (C: number) => biased([C, 1, 3, 3], DEPTHWISE_STD);
  const block = <Name extends string>(attention: Name, C: number) =>
    ({
      conv1: depthwise(C),
      norm1: initNorm(C),
      [attention]: { qkv: linear(C, 3 * C), proj: linear(C, C) },
      conv2: depthwise(C),
      norm2: initNorm(C),
      ffn: { fc1: linear(C, 4 * C), fc2: linear(4 * C, C) },
    }) as Block<Plan, Name>;
  return {
    vision_tower: {
      convs: dims.map((C, s) => {
        const [from, k] = [s === 0 ? 3 : dims[s - 1], patch_sizes[s]];
        const conv = biased([C, from, k, k], 1 / Math.sqrt(from * k * k));
        return { conv, norm: initNorm(s === 0 ? C : from) };
      }),
      blocks: dims.map((C, s) =>
        Array.from({ length: depths[s] }, () => ({
          spatial_block: block('window_attn', C),
          channel_block: block('channel_attn', C),
        })),
      ),
    },
    multi_modal_projector: {
      image_projection: drawn([d, D], Math.sqrt(2 / (D + d))),
      image_proj_norm: initNorm(d),
      image_position_embed: {
        row_embeddings: drawn([MAP_SIDE, Math.floor(D / 2)], PLACE_STD),
        column_embeddings: drawn([MAP_SIDE, D - Math.floor(D / 2)], PLACE_STD),
      },
    },
    language_model: {
      shared: drawn([vocabulary, d], WORD_STD),
      encoder: {
        embed_positions: drawn([positions + 2, d], WORD_STD),
        layernorm_embedding: initNorm(d),
        layers: Array.from({ length: layers }, () => ({
          self_attn: {
            k_proj: linear(d, d),
            v_proj: linear(d, d),
            q_proj: linear(d, d),
            out_proj: linear(d, d),
          },
          self_attn_layer_norm: initNorm(d),
          fc1: linear(d, ffn),
          fc2: linear(ffn, d),
          final_layer_norm: initNorm(d),
        })),
      },
    },
    flow_token: { shape: [d], std: WORD_STD },
    ...(state_size !== undefined && { proprio: linear(state_size, d) }),
  };
}
