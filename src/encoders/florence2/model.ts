/**
 * Florence-2 as FLOWER (arXiv 2509.04996) and NinA use it: pictures and a text to the tokens that decoders attend to.
 *
 * The sequence is [first view, further views, <Flow>, the state if it has a token, text].
 * Letters: B batch, V views, P side of a picture, N tokens of a map, L tokens of a text, S of the sequence, d width.
 */
import { type Dropout, linear, noDropout } from '../../nn/index.ts';
import { add, broadcastTo, concat, constant, embed, mul, reshape, sub, type Tensor } from '../../tensor/index.ts';
import { bartEncoder } from './bart.ts';
import type { Florence2Config } from './config.ts';
import { tower } from './davit.ts';
import type { Params } from './params.ts';
import { project } from './projector.ts';

/**
 * @param pixels [B, V, 3, P, P], normalised
 * @returns [B, V, 1 + N, d]: of each view the mean token, then those of its map, row by row
 */
export function imageFeatures(
  config: Florence2Config,
  p: Pick<Params<Tensor>, 'vision_tower' | 'multi_modal_projector'>,
  pixels: Tensor,
  dropout: Dropout,
): Tensor {
  const [B, V, ...picture] = pixels.shape;
  const { ends } = tower(config, p.vision_tower, reshape(pixels, [B * V, ...picture]), dropout);
  const features = project(p.multi_modal_projector, ends.at(-1)!);
  return reshape(features, [B, V, ...features.shape.slice(1)]);
}

/** What an observation says beside its pictures. */
export interface Said {
  /** [B, L] int64; padding on the right. */
  readonly ids: Tensor;
  /** [B, L]: 1 for a token of the text, 0 for padding. */
  readonly real: Tensor;
  /** [B, P] the normalised state, where it has a token. */
  readonly state?: Tensor;
  /**
   * [d], what padding is embedded as where it is attended to, as in the reference, in which it is no parameter; nothing
   * attends to padding unless this is given.
   */
  readonly padding?: Tensor;
}

/**
 * The text encoder's input.
 * @param features [B, V, 1 + N, d]
 * @returns [B, S, d]
 */
export function sequence(
  p: Omit<Params<Tensor>, 'vision_tower' | 'multi_modal_projector'>,
  features: Tensor,
  { ids, real, state, padding }: Said,
): Tensor {
  const [B, V, n, d] = features.shape;
  const rows = embed(p.language_model.shared.weight, ids);
  const there = reshape(real, [...real.shape, 1]);
  const words = padding ? add(mul(rows, there), mul(padding, sub(1, there))) : rows;
  const parts = [reshape(features, [B, V * n, d]), broadcastTo(p.flow_token, [B, 1, d])];
  if (state && p.proprio) parts.push(reshape(linear(p.proprio, state), [B, 1, d]));
  return concat([...parts, words], 1);
}

/**
 * @param features [B, V, 1 + N, d]
 * @returns tokens [B, S, d], and of them which are no padding [B, S]
 */
export function encodeSequence(
  config: Pick<Florence2Config, 'encoder_heads' | 'token_dropout'>,
  p: Omit<Params<Tensor>, 'vision_tower' | 'multi_modal_projector'>,
  features: Tensor,
  said: Said,
  dropout: Dropout = noDropout,
): { tokens: Tensor; mask?: Tensor } {
  const embedded = sequence(p, features, said);
  const [B, S] = embedded.shape;
  const L = said.real.shape[1];
  const seen = constant(new Float32Array(B * (S - L)).fill(1), [B, S - L]);
  const mask = said.padding ? undefined : concat([seen, said.real], 1);
  const tokens = bartEncoder(p.language_model.encoder, config.encoder_heads, embedded, mask, dropout);
  return { tokens: dropout(tokens, { rate: config.token_dropout }), mask };
}
