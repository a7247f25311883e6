/** What is pretrained, and what it says of a batch: the encoder with the heads of heads.ts. */
import { meanToken } from '../decoders/index.ts';
import { encodeSequence, imageFeatures } from '../encoders/florence2/model.ts';
import { blueprint as encoderBlueprint, type Params } from '../encoders/florence2/params.ts';
import { linear, noDropout } from '../nn/index.ts';
import { fold, type Key } from '../random.ts';
import { broadcastTo, reshape, type Spec, slice, type Tensor } from '../tensor/index.ts';
import type { GroundingShape } from './arrays.ts';
import { attendNames, compareNames, type Heads, initHeads, readRoles } from './heads.ts';

export type Trained<P> = {
  readonly encoder: Params<P>;
  readonly heads: Heads<P>;
};

export const blueprint = (key: Key, { encoder }: GroundingShape): Trained<Spec> => ({
  encoder: encoderBlueprint(fold(key, 'encoder'), encoder),
  heads: initHeads(fold(key, 'heads'), encoder.width),
});

/** Letters as in heads.ts. */
export interface Answers {
  /** Scores and offsets [B, K, 3, V, C] of the names. */
  readonly names: Tensor;
  /** Scores [B, K, V, C] of the names by the text encoder's first attention head. */
  readonly attended: Tensor;
  /** Scores and offsets in each role [B Q, R, 3, V, C]. */
  readonly roles: Tensor;
  /** The readout [B Q, F] from the mean token, and from <Flow>. */
  readonly mean: Tensor;
  readonly flow: Tensor;
}

/**
 * Nothing is dropped: scenes never come twice, so there is nothing to learn by heart.
 * @param inputs the graph's inputs, named as the arrays of a batch
 */
export function answers(
  { encoder: config, phrases: Q }: Pick<GroundingShape, 'encoder' | 'phrases'>,
  { encoder, heads }: Trained<Tensor>,
  inputs: Readonly<Record<string, Tensor>>,
): Answers {
  const features = imageFeatures(config, encoder, inputs['florence2.pixels'], noDropout);
  const [B, V, C, d] = features.shape;
  const forEach = broadcastTo(reshape(features, [B, 1, V, C, d]), [B, Q, V, C, d]);
  const { tokens, mask } = encodeSequence(
    config,
    encoder,
    reshape(forEach, [B * Q, V, C, d]),
    { ids: inputs['florence2.ids'], real: inputs['florence2.real'] },
    noDropout,
  );
  const { language_model } = encoder;
  const [ids, share] = [inputs['name.ids'], inputs['name.share']];
  return {
    names: compareNames(heads.name, language_model.shared.weight, ids, share, features),
    attended: attendNames(language_model, config.encoder_heads, ids, share, features),
    roles: readRoles(heads.roles, tokens, V, C),
    mean: linear(heads.mean, meanToken(tokens, mask)),
    flow: linear(heads.flow, reshape(slice(tokens, 1, V * C, V * C + 1), [B * Q, d])),
  };
}
