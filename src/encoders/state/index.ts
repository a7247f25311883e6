/** Observation encoder for simulator state: the robot's state, entity poses and an instruction -> a token [B, 1, W]. */
export { type StateConfig, type StateSettings, stateConfigSchema, stateSettingsSchema } from './config.ts';
export { stateEncoder } from './encoder.ts';
export type { StateStatistics } from './features.ts';
export { tokenise } from './words.ts';
