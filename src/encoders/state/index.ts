/** Observation encoder for simulator state: proprioception, entity poses and an instruction -> a token [B, 1, W]. */
export { checkHeads, type StateConfig, type StateSettings, stateConfigSchema, stateSchema } from './config.ts';
export {
  ENTITY_SIZE,
  PROPRIO_SIZE,
  type Scene,
  type StateArrays,
  type StateObservation,
  type StateStatistics,
  scene,
  stateArrays,
  writeState,
} from './features.ts';
export { encode, feedsOf, init, type StateInputs, type StateParams, stateInputs, tokenWidth } from './model.ts';
export { configFor, requireWords, tokenise, wordIds } from './words.ts';
