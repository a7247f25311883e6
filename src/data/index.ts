/** Demonstrations: LIBERO's HDF5 in and out, training windows, statistics. */
export { dataHash } from './hash.ts';
export { PROPRIO_NAMES, PROPRIO_SIZE, writeProprio } from './proprio.ts';
export {
  ACTION_NAMES,
  ACTION_SIZE,
  demonstrationFiles,
  ENTITY_SIZE,
  type Episode,
  type Recording,
  readDemonstrations,
  readRecording,
  readRecordingHeader,
  requireEntities,
} from './reader.ts';
export { type Statistics, statistics } from './statistics.ts';
export { splitEpisodes, type Window, windows, writeChunk } from './windows.ts';
export { type Demonstration, DemonstrationWriter, type TaskHeader } from './writer.ts';
