/**
 * The state encoder: simulator state and an instruction -> tokens [B, S, E], S = 1 + entities.
 *
 * One token for the robot and one per entity. An entity looks up its own mention in the instruction by matching its
 * category's words against the spoken ones (one attention over words, whose values carry the word's place, hence its
 * role: what to take, where to put it). Then the tokens look at each other, for relations between entities.
 */

import {
  type Attention,
  type Dropout,
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
import {
  add,
  broadcastTo,
  concat,
  embed,
  gelu,
  input,
  matmul,
  mul,
  type NDArray,
  reshape,
  softmax,
  sub,
  type Tensor,
} from '../../tensor/index.ts';
import type { StateConfig } from './config.ts';
import { FEATURE_SIZE, PROPRIO_SIZE, type StateArrays } from './features.ts';

/** A residual perceptron: x + down(gelu(up(norm x))). */
type Residual<P> = { readonly norm: Norm<P>; readonly up: Linear<P>; readonly down: Linear<P> };

export type StateParams<P> = {
  /** [V, E], shared by instructions and categories. */
  readonly words: P;
  /** [L, E] */
  readonly places: P;
  /** What the robot's token asks of the instruction, in place of a category [E]. */
  readonly robot_query: P;
  readonly query: Linear<P>;
  readonly key: Linear<P>;
  readonly value: Linear<P>;
  readonly category: Linear<P>;
  readonly features: Linear<P>;
  readonly proprio: Linear<P>;
  readonly mlp: Residual<P>;
  readonly blocks: readonly { readonly norm: Norm<P>; readonly attention: Attention<P>; readonly mlp: Residual<P> }[];
  readonly norm: Norm<P>;
};

/** Added to the scores of absent entities and words. */
const ABSENT = -1e9;

export function init(key: Key, config: StateConfig): StateParams<NDArray> {
  const { encoder_dim: E, max_words: L, words } = config;
  const k = (...name: readonly (string | number)[]) => fold(key, ...name);
  const mlp = (...name: readonly (string | number)[]): Residual<NDArray> => ({
    norm: initNorm(E),
    up: initLinear(k(...name, 'up'), E, 2 * E),
    down: initLinear(k(...name, 'down'), 2 * E, E),
  });
  return {
    words: uniform(k('words'), [words.length, E], 1),
    places: uniform(k('places'), [L, E], 1),
    robot_query: uniform(k('robot_query'), [E], 1),
    query: initLinear(k('query'), E, E),
    key: initLinear(k('key'), E, E),
    value: initLinear(k('value'), E, E),
    category: initLinear(k('category'), E, E),
    features: initLinear(k('features'), FEATURE_SIZE, E),
    proprio: initLinear(k('proprio'), PROPRIO_SIZE, E),
    mlp: mlp('mlp'),
    blocks: Array.from({ length: config.encoder_blocks }, (_, i) => ({
      norm: initNorm(E),
      attention: initAttention(k('attention', i), E),
      mlp: mlp('block', i),
    })),
    norm: initNorm(E),
  };
}

export type StateInputs = { readonly [K in keyof StateArrays]: Tensor };

/** Graph inputs 'state.<name>' for a batch of B; `feedsOf` names the arrays alike. */
export function stateInputs({ max_entities: N, max_words: L, words }: StateConfig, B: number): StateInputs {
  return {
    proprio: input('state.proprio', [B, PROPRIO_SIZE]),
    features: input('state.features', [B, N, FEATURE_SIZE]),
    categories: input('state.categories', [B, N, words.length]), // rows average the category's words
    present: input('state.present', [B, 1 + N]), // 1 for the robot and real entities, 0 for padding
    words: input('state.words', [B, L], 'int64'),
    spoken: input('state.spoken', [B, L]), // 1 for words, 0 for padding
  };
}

/** The arrays under the names of the graph's inputs. */
export function feedsOf(arrays: StateArrays): Record<string, Float32Array | BigInt64Array> {
  return Object.fromEntries(Object.entries(arrays).map(([name, data]) => [`state.${name}`, data]));
}

/** @returns tokens [B, 1 + N, E]; those where `inputs.present` is 0 are meaningless. */
export function encode(config: StateConfig, p: StateParams<Tensor>, inputs: StateInputs, dropout: Dropout): Tensor {
  const { encoder_dim: E, encoder_heads, max_entities: N, max_words: L } = config;
  const B = inputs.proprio.shape[0]!;
  const S = 1 + N;

  const said = add(embed(p.words, inputs.words), p.places); // [B, L, E]
  const category = matmul(inputs.categories, p.words); // [B, N, E]
  const asking = concat([broadcastTo(p.robot_query, [B, 1, E]), category], 1); // [B, S, E]
  const scores = mul(matmul(linear(p.query, asking), linear(p.key, said), { transB: true }), 1 / Math.sqrt(E));
  const silent = reshape(mul(sub(1, inputs.spoken), ABSENT), [B, 1, L]);
  const mention = matmul(softmax(add(scores, silent)), linear(p.value, said)); // [B, S, E]

  const entities = add(linear(p.features, inputs.features), linear(p.category, category)); // [B, N, E]
  const robot = reshape(linear(p.proprio, inputs.proprio), [B, 1, E]);
  const own = concat([robot, add(entities, robot)], 1); // [B, S, E]
  const absent = reshape(mul(sub(1, inputs.present), ABSENT), [B, 1, 1, S]);

  let x = residual(p.mlp, add(own, mention), dropout);
  for (const block of p.blocks) {
    x = add(x, dropout(selfAttention(block.attention, layerNorm(block.norm, x), encoder_heads, dropout, absent)));
    x = residual(block.mlp, x, dropout);
  }
  return dropout(layerNorm(p.norm, x));
}

/** x [B, S, E] -> [B, S, E]. */
function residual(p: Residual<Tensor>, x: Tensor, dropout: Dropout): Tensor {
  return add(x, dropout(linear(p.down, gelu(linear(p.up, layerNorm(p.norm, x))))));
}
