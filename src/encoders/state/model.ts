/**
 * The state encoder: simulator state and an instruction -> one token [B, 1, W] that says where what matters is.
 *
 * The robot and each entity are an element. An element looks up its own mention in the instruction by matching its
 * category's words against the spoken ones (one attention over words, whose values carry the word's place, hence its
 * role: what to take, where to put it). The elements look at each other, for relations between entities. Then a few
 * slots each single out what they are for (the target, the destination) and copy its features linearly: a mean over
 * entities would have to learn to cancel all the others, and learns precision more slowly (validation MSE 0.022 against
 * 0.018 after 1000 steps).
 */

import {
  type Attention,
  attention,
  type Dropout,
  initAttention,
  initLinear,
  initMlp,
  initNorm,
  type Linear,
  layerNorm,
  linear,
  type Mlp,
  mlp,
  type Norm,
  paddingMask,
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
  reshape,
  type Spec,
  type Tensor,
} from '../../tensor/index.ts';
import type { StateConfig } from './config.ts';
import { FEATURE_SIZE, type StateArrays } from './features.ts';

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
  /** Slots: queries [K, E], keys and values of the elements. */
  readonly slots: P;
  readonly norm: Norm<P>;
  readonly slot_key: Linear<P>;
  readonly slot_value: Linear<P>;
  /** From the slots and the robot, (K + 1) E -> W. */
  readonly readout: Mlp<P>;
  readonly readout_norm: Norm<P>;
};

/** Things a policy can single out at once. */
const SLOTS = 4;

/** W, the width of the encoder's token. */
export const tokenWidth = ({ dim }: Pick<StateConfig, 'dim'>) => 4 * dim;

/** The same numbers for the same key, whatever else is drawn. */
export function blueprint(key: Key, config: StateConfig): StateParams<Spec> {
  const { dim: E, max_words: L, words, state_size: P } = config;
  const W = tokenWidth(config);
  const k = (...name: readonly (string | number)[]) => fold(key, ...name);
  const residual = (...name: readonly (string | number)[]): Residual<Spec> => ({
    norm: initNorm(E),
    up: initLinear(k(...name, 'up'), E, 2 * E),
    down: initLinear(k(...name, 'down'), 2 * E, E),
  });
  return {
    words: uniform(k('words'), [words.length, E], 1),
    places: uniform(k('places'), [L, E], 1),
    robot_query: uniform(k('robot_query'), [E], 1, { decay: false }),
    query: initLinear(k('query'), E, E),
    key: initLinear(k('key'), E, E),
    value: initLinear(k('value'), E, E),
    category: initLinear(k('category'), E, E),
    features: initLinear(k('features'), FEATURE_SIZE, E),
    proprio: initLinear(k('proprio'), P, E),
    mlp: residual('mlp'),
    blocks: Array.from({ length: config.blocks }, (_, i) => ({
      norm: initNorm(E),
      attention: initAttention(k('attention', i), E),
      mlp: residual('block', i),
    })),
    slots: uniform(k('slots'), [SLOTS, E], 1),
    norm: initNorm(E),
    slot_key: initLinear(k('slot_key'), E, E),
    slot_value: initLinear(k('slot_value'), E, E),
    readout: initMlp(k('readout'), [(SLOTS + 1) * E, W, W]),
    readout_norm: initNorm(W),
  };
}

export type StateInputs = { readonly [K in keyof StateArrays]: Tensor };

/** Graph inputs for a batch of B, under the names of the arrays. */
export function stateInputs(
  { max_entities: N, max_words: L, words, state_size: P }: StateConfig,
  B: number,
): StateInputs {
  return {
    'state.proprio': input('state.proprio', [B, P]),
    'state.features': input('state.features', [B, N, FEATURE_SIZE]),
    'state.categories': input('state.categories', [B, N, words.length]), // rows average the category's words
    'state.present': input('state.present', [B, 1 + N]), // 1 for the robot and real entities, 0 for padding
    'state.words': input('state.words', [B, L], 'int64'),
    'state.spoken': input('state.spoken', [B, L]), // 1 for words, 0 for padding
  };
}

/** @returns one token [B, 1, W] */
export function encode(config: StateConfig, p: StateParams<Tensor>, inputs: StateInputs, dropout: Dropout): Tensor {
  const { dim: E, heads, max_entities: N } = config;
  const B = inputs['state.proprio'].shape[0];
  const S = 1 + N;

  const said = add(embed(p.words, inputs['state.words']), p.places); // [B, L, E]
  const category = matmul(inputs['state.categories'], p.words); // [B, N, E]
  const asking = concat([broadcastTo(p.robot_query, [B, 1, E]), category], 1); // [B, S, E]
  const mask = paddingMask(inputs['state.spoken']);
  const mention = attention(linear(p.query, asking), linear(p.key, said), linear(p.value, said), { mask }); // [B, S, E]

  const entities = add(linear(p.features, inputs['state.features']), linear(p.category, category)); // [B, N, E]
  const robot = reshape(linear(p.proprio, inputs['state.proprio']), [B, 1, E]);
  const elements = add(concat([robot, add(entities, robot)], 1), mention); // [B, S, E]

  const absent = paddingMask(inputs['state.present']);
  let x = residual(p.mlp, elements, dropout);
  for (const block of p.blocks) {
    const ofHeads = reshape(absent, [B, 1, 1, S]);
    const mixed = selfAttention(block.attention, layerNorm(block.norm, x), heads, dropout, ofHeads);
    x = residual(block.mlp, add(x, dropout(mixed)), dropout);
  }

  const slots = broadcastTo(p.slots, [B, SLOTS, E]);
  const values = linear(p.slot_value, add(elements, x));
  const keys = linear(p.slot_key, layerNorm(p.norm, x));
  const seen = attention(slots, keys, values, { mask: absent }); // [B, K, E]
  const together = reshape(concat([seen, robot], 1), [B, 1, (SLOTS + 1) * E]);
  return dropout(gelu(layerNorm(p.readout_norm, mlp(p.readout, together))));
}

/** x [B, S, E] -> [B, S, E]. */
function residual(p: Residual<Tensor>, x: Tensor, dropout: Dropout): Tensor {
  return add(x, dropout(linear(p.down, gelu(linear(p.up, layerNorm(p.norm, x))))));
}
