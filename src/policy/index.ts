/** Policies: encoder + decoder + robot + normalisation, and the checkpoints that hold them. */
export { POLICY_BACKENDS, type PolicyBackend } from './backends.ts';
export { BUFFER_PREFIX, buffersFrom, storedBuffers } from './buffers.ts';
export {
  CHECKPOINTS,
  type Checkpoint,
  findCheckpoint,
  readCheckpoint,
  requireOutsideCheckpoints,
  writeCheckpoint,
} from './checkpoint.ts';
export { type PolicyConfig, type PolicyStatistics, policySchema, statisticsSchema } from './config.ts';
export { type ExportedModel, exportModel } from './export.ts';
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
  type ModelShape,
  type PolicyModel,
  type PolicyParams,
} from './model.ts';
export { EXPORT_PARTS, type ExportPart } from './parts.ts';
export {
  buildPolicy,
  type Inference,
  type InferOptions,
  NotFiniteError,
  type Policy,
  type PolicyParts,
  type SampleOptions,
  type Samples,
} from './policy.ts';
export { prepareSelfTest, type SelfTest } from './self-test.ts';
export { type Actor, createSession, type Decision, type Session, type SessionOptions } from './session.ts';
export type { Manifest } from './stored.ts';
export { quantilesOf, rankIn, type SurpriseStatistics, surpriseHorizon, surpriseScale } from './surprise.ts';
