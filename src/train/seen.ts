/**
 * What a training's graphs read of an observation: all of it, or what its frozen part made of it, computed once per frame and
 * kept (kept.ts). With a frozen trunk that is what the trunk made; with a frozen encoder, what a decoder can read of the
 * tokens: their mean if it reads no more, else each, with whether it is real.
 */
import { decoderOf, meanToken } from '../decoders/index.ts';
import { encoderOf } from '../encoders/index.ts';
import { type Dropout, noDropout } from '../nn/index.ts';
import type { BoundPolicy, ModelConfig } from '../policy/index.ts';
import { concat, input, reshape, type Shape, split, type Tensor, type Tree } from '../tensor/index.ts';
import type { Freeze } from './frozen.ts';

/** The graph input that is kept per frame. */
export const KEPT = 'kept';

/** The shape of what is kept of B frames; undefined where nothing is frozen. */
export function keptShape({ encoder, decoder }: ModelConfig, freeze: Freeze, B: number): Shape | undefined {
  const { trunk, tokens } = encoderOf(encoder);
  if (freeze === 'none') return undefined;
  if (freeze === 'trunk') return trunk!.featuresShape(encoder, B);
  const { count, width, masked } = tokens(encoder);
  return decoderOf(decoder).pools ? [B, 1, width] : [B, count, masked ? width + 1 : width];
}

/** What the frozen part makes of B observations, of that shape. @param p the encoder's parameters */
export function keep({ encoder, decoder }: ModelConfig, freeze: Freeze, p: Tree<Tensor>, B: number): Tensor {
  const { trunk, encode, inputs } = encoderOf(encoder);
  if (freeze === 'trunk') return trunk!.features(encoder, p, inputs(encoder, B), noDropout);
  const { tokens, mask } = encode(encoder, p, inputs(encoder, B), noDropout);
  if (decoderOf(decoder).pools) return reshape(meanToken(tokens, mask), [B, 1, tokens.shape[2]]);
  return mask ? concat([tokens, reshape(mask, [...mask.shape, 1])], 2) : tokens;
}

/** The graph inputs that a batch fills beside what is kept. */
export function readInputs(
  { encoder }: Pick<ModelConfig, 'encoder'>,
  freeze: Freeze,
  B: number,
): Record<string, Tensor> {
  const { trunk, inputs } = encoderOf(encoder);
  if (freeze === 'encoder') return {};
  const unread = freeze === 'trunk' ? trunk!.inputs : [];
  return Object.fromEntries(Object.entries(inputs(encoder, B)).filter(([name]) => !unread.includes(name)));
}

/** What the decoder sees of B observations. */
export function seen(config: ModelConfig, freeze: Freeze, policy: BoundPolicy, B: number, dropout: Dropout): Tensor {
  const shape = keptShape(config, freeze, B);
  const kept = shape && input(KEPT, shape);
  if (freeze !== 'encoder' || !kept) return policy.context(readInputs(config, freeze, B), dropout, kept);
  const { width } = encoderOf(config.encoder).tokens(config.encoder);
  const [tokens, mask] = kept.shape[2] === width ? [kept] : split(kept, 2, [width, 1]);
  return policy.decoder.context(tokens, mask && reshape(mask, kept.shape.slice(0, 2)));
}
