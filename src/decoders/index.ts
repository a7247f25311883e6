/** The action decoders behind one contract (decoder.ts). Each folder is usable alone. */
import * as z from 'zod';
import { NinaError } from '../errors.ts';
import type { Decoder, DecoderConfig } from './decoder.ts';
import { flower } from './flower/decoder.ts';
import { nina } from './nina/decoder.ts';
import { regression } from './regression/decoder.ts';

export {
  type BoundDecoder,
  type BufferSpec,
  type Decoder,
  type DecoderBlueprint,
  type DecoderConfig,
  type Density,
  drawModel,
} from './decoder.ts';
export type { FoldedDecoder, Folding } from './folding.ts';
export type { Buffers, DecoderModel } from './model.ts';

/** Every decoder there is. The first is the default. */
export const DECODERS: readonly Decoder[] = [nina, flower, regression];

/** @throws NinaError naming those there are. */
export function decoderOf({ name }: Pick<DecoderConfig, 'name'>): Decoder {
  const found = DECODERS.find((decoder) => decoder.name === name);
  if (found) return found;
  throw new NinaError(`There is no decoder ${name}; there are ${DECODERS.map((decoder) => decoder.name).join(', ')}.`);
}

/** config.json's `decoder`: a decoder's name, and its own settings. */
export const decoderSchema: z.ZodType<DecoderConfig> = z.discriminatedUnion(
  'name',
  DECODERS.map(({ schema }) => schema) as unknown as [z.ZodObject, ...z.ZodObject[]],
) as unknown as z.ZodType<DecoderConfig>;
