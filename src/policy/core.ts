/** Policies where there is neither Node nor an engine: built from data, computed by WebAssembly. */
export { POLICY_BACKENDS, type PolicyBackend } from './backends.ts';
export { type PolicyConfig, type PolicyStatistics, policySchema, statisticsSchema } from './config.ts';
export type { PolicyParts } from './model.ts';
export { openPolicy, type StoredPolicy } from './open.ts';
export {
  type BuildOptions,
  buildPolicy,
  type Inference,
  type InferOptions,
  NotFiniteError,
  type Policy,
  type SampleOptions,
  type Samples,
} from './policy.ts';
export { type Actor, createSession, type Decision, type Session, type SessionOptions } from './session.ts';
export { checkManifest, checkParts, type Manifest } from './stored.ts';
