/** The action decoders behind one contract (decoder.ts). Each folder is usable alone. */
import { registry } from '../registry.ts';
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
export { meanToken } from './pool.ts';

/** Every decoder there is. The first is the default. */
export const DECODERS: readonly Decoder[] = [nina, flower, regression];

/** `decoderOf`: the decoder that a configuration names. `decoderSchema`: config.json's `decoder`, a name and that decoder's own configuration. */
export const { of: decoderOf, schema: decoderSchema } = registry<Decoder, DecoderConfig>('decoder', DECODERS);
