/** Demonstrations: LIBERO's HDF5 in and out, training windows, statistics. */

export { ACTION_NAMES, ACTION_SIZE } from './actions.ts';
export { dataHash } from './hash.ts';
export type { Split } from './masks.ts';
export { plausibility } from './plausibility.ts';
export { PROPRIO_NAMES, PROPRIO_SIZE, writeProprio } from './proprio.ts';
export {
  ENTITY_SIZE,
  type Episode,
  type Recording,
  readDemonstrations,
  readRecording,
  readRecordingHeader,
  requireEntities,
} from './reader.ts';
export { splitByMasks, splitEpisodes } from './split.ts';
export { demonstrationFiles } from './walk.ts';
export { type Window, windows, writeChunk } from './windows.ts';
export { type Demonstration, DemonstrationWriter, type TaskHeader } from './writer.ts';
