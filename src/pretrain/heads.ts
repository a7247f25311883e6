/**
 * What pretraining asks of the encoder, in its own words: linear maps that are thrown away afterwards, so all that is
 * learned must lie in the encoder. See objective.ts for the losses.
 *
 * Letters: B scenes, V views, N cells of a view and C = 1 + N candidates, K names, Q phrases, R things pointed at, F numbers of the readout.
 */
import { POSITION_OFFSET } from '../encoders/florence2/bart.ts';
import type { LanguageModel } from '../encoders/florence2/params.ts';
import { initLinear, initNorm, type Linear, layerNorm, linear, type Norm } from '../nn/index.ts';
import { fold, type Key } from '../random.ts';
import {
  add,
  constant,
  embed,
  gather,
  matmul,
  mul,
  reshape,
  type Spec,
  slice,
  type Tensor,
  transpose,
} from '../tensor/index.ts';
import { POINTED, READOUT_SIZE } from './readout.ts';

/** A score and two numbers of an offset: what is asked of each candidate. */
export const ASKED = 3;

export type Heads<P> = {
  /** From a name to what it is compared with: a query for the score, one for each number of the offset. */
  readonly name: { readonly norm: Norm<P>; readonly linear: Linear<P> };
  /** From an encoded token to its score and offset in each role. */
  readonly roles: Linear<P>;
  /** The readout from the mean of the encoded tokens, which is what a pooled decoder sees, and from <Flow> alone. */
  readonly mean: Linear<P>;
  readonly flow: Linear<P>;
};

/** @param d width of the encoder's tokens */
export function initHeads(key: Key, d: number): Heads<Spec> {
  const k = (name: string) => fold(key, name);
  return {
    name: { norm: initNorm(d), linear: initLinear(k('name'), d, ASKED * d) },
    roles: initLinear(k('roles'), d, POINTED.length * ASKED),
    mean: initLinear(k('mean'), d, READOUT_SIZE),
    flow: initLinear(k('flow'), d, READOUT_SIZE),
  };
}

/** Names are asked for at this many places of a text. */
const WORDS_APART = 20;

/** Factors beside 1 / sqrt(d), of a score and of both numbers of an offset: cells differ from the first step on, offsets hardly. */
const SHARPNESS = [2, 0.5, 0.5];

/**
 * Each projected token is compared with each name, the mean of its tokens' embeddings.
 * @param words the vocabulary [rows, d]
 * @param ids [B, K, M] int64
 * @param share [B, K, M]: 1 / the number of a name's tokens, 0 beyond them
 * @param features [B, V, C, d]
 * @returns [B, K, 3, V, C]: scores and offsets
 */
export function compareNames(
  { norm, linear: map }: Heads<Tensor>['name'],
  words: Tensor,
  ids: Tensor,
  share: Tensor,
  features: Tensor,
): Tensor {
  const [B, K] = ids.shape;
  const [, V, C, d] = features.shape;
  const meaning = meaningOf(words, ids, share);
  const queries = reshape(linear(map, layerNorm(norm, meaning)), [B, K * ASKED, d]);
  const answers = matmul(queries, reshape(features, [B, V * C, d]), { transB: true });
  const factors = constant(
    SHARPNESS.map((factor) => factor / Math.sqrt(d)),
    [ASKED, 1, 1],
  );
  return mul(reshape(answers, [B, K, ASKED, V, C]), factors);
}

/** The mean [B, K, d] of a name's tokens. */
function meaningOf(words: Tensor, ids: Tensor, share: Tensor): Tensor {
  const [B, K, M] = ids.shape;
  return reshape(matmul(reshape(share, [B, K, 1, M]), embed(words, ids)), [B, K, words.shape[1]]);
}

/**
 * The text encoder's first attention head, asked whether a name, standing anywhere in the text, looks at the tokens of the views
 * that it stands for. What it learns here it knows when it reads phrases: their nouns then hold where things are, and only what is
 * done to which of them is left to be found out.
 * @param ids, share, features as for `compareNames`
 * @returns [B, K, V, C]: scores, as the head's softmax takes them
 */
export function attendNames(
  { shared, encoder }: LanguageModel<Tensor>,
  heads: number,
  ids: Tensor,
  share: Tensor,
  features: Tensor,
): Tensor {
  const [B, K] = ids.shape;
  const [, V, C, d] = features.shape;
  const depth = d / heads;
  const { embed_positions, layernorm_embedding, layers } = encoder;
  const { q_proj, k_proj } = layers[0].self_attn;
  // Behind the views and <Flow>, a few words from one another.
  const places = Array.from({ length: K }, (_, k) => POSITION_OFFSET + V * C + 2 + ((3 * k) % WORDS_APART));
  const project = ({ weight, bias }: Linear<Tensor>, tokens: Tensor, positions: Tensor) => {
    const x = layerNorm(layernorm_embedding, add(tokens, positions));
    return linear({ weight: slice(weight, 0, 0, depth), bias: slice(bias, 0, 0, depth) }, x);
  };
  const q = project(q_proj, meaningOf(shared.weight, ids, share), gather(embed_positions.weight, 0, places));
  const views = slice(embed_positions.weight, 0, POSITION_OFFSET, POSITION_OFFSET + V * C);
  const k = project(k_proj, reshape(features, [B, V * C, d]), views);
  return reshape(mul(matmul(q, k, { transB: true }), 1 / Math.sqrt(depth)), [B, K, V, C]);
}

/** Encoded tokens [BQ, S, d], the first V x C of them of the views, to scores and offsets by role [BQ, R, 3, V, C]. */
export function readRoles(head: Linear<Tensor>, tokens: Tensor, V: number, C: number): Tensor {
  const answers = linear(head, slice(tokens, 1, 0, V * C));
  const rows = tokens.shape[0];
  return transpose(reshape(answers, [rows, V, C, POINTED.length, ASKED]), [0, 3, 4, 1, 2]);
}
