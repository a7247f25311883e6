/** The action decoders behind one contract. Each folder is usable alone. */
export {
  DECODERS,
  type DecoderConfig,
  type DecoderName,
  decoderSchema,
  decoderShapes,
  describeDecoder,
} from './config.ts';
export {
  context,
  contextShape,
  type DecoderModel,
  type DecoderParams,
  draws,
  init,
  inverses,
  logProb,
  loss,
  sample,
  sampleAndLogProb,
} from './decoder.ts';
export { leastNumbers } from './size.ts';
