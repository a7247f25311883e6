/**
 * NinA (arXiv 2508.16845): a RealNVP over action chunks, conditioned on what the policy sees.
 * Forward is actions -> noise, for the likelihood; inverse is noise -> actions, one pass, for the policy.
 */
export { type CompileNinaOptions, compileNina } from './compiled/compile.ts';
export { BACKENDS, type Backend, type CompiledNina, type Drawn } from './compiled/compiled.ts';
export { type Folded, foldNina } from './compiled/folded.ts';
export { logProbGraph, sampleGraph } from './compiled/graph.ts';
export { checkNina, type NinaConfig, ninaSchema } from './config.ts';
export { nina } from './decoder.ts';
export {
  type Buffers,
  blueprint,
  decode,
  encode,
  init,
  logProb,
  loss,
  type Model,
  noisyTarget,
  type Params,
  pluInverse,
  sample,
  sampleAndLogProb,
} from './nina.ts';
export { exportReference, type Imported, importReference, type StateDict } from './reference.ts';
