/** Policies: encoder + decoder + robot + normalisation, and the checkpoints that hold them. */
export { BUFFER_PREFIX, buffersFrom, storedBuffers } from './buffers.ts';
export {
  CHECKPOINTS,
  type Checkpoint,
  findCheckpoint,
  readCheckpoint,
  readPolicyConfig,
  requireOutsideCheckpoints,
  writeCheckpoint,
} from './checkpoint.ts';
export * from './core.ts';
export {
  type EncoderFolder,
  type EncoderManifest,
  type EncoderParts,
  isEncoderFolder,
  readEncoderConfig,
  readEncoderFolder,
  writeEncoderFolder,
} from './encoder-folder.ts';
export { recordEncoderSelfTest, requireEncoderSelfTest } from './encoder-self-test.ts';
export { type ExportedModel, exportModel } from './export.ts';
export { type ExportReport, reportExport } from './export-report.ts';
export { chooseBackend, type LoadedPolicy, loadPolicy } from './load.ts';
export {
  type BoundPolicy,
  bind,
  blueprint,
  contextShape,
  decoderModel,
  derived,
  derivedFeeds,
  derivedInputs,
  hasDensity,
  init,
  knows,
  type ModelConfig,
  type ModelShape,
  type PolicyModel,
  type PolicyParams,
  viewsOf,
} from './model.ts';
export { EXPORT_PARTS, type ExportPart } from './parts.ts';
export { prepareSelfTest, type SelfTest } from './self-test.ts';
export { quantilesOf, rankIn, type SurpriseStatistics, surpriseHorizon, surpriseScale } from './surprise.ts';
