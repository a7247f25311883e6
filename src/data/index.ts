/** Demonstrations: LIBERO's HDF5 in and out, training windows. */

export {
  type Episode,
  type EpisodeHeader,
  type EpisodeSource,
  episodeId,
  type Frames,
  observationAt,
} from './episode.ts';
export { dataHash } from './hash.ts';
export { loadEpisodes } from './load.ts';
export type { Split } from './masks.ts';
export { openPictures, type PicturedEpisode, type PictureReader } from './pictures.ts';
export { plausibility } from './plausibility.ts';
export {
  openDemonstrations,
  type Recording,
  readDemonstrations,
  readRecording,
  readRecordingHeader,
} from './reader.ts';
export { splitByMasks, splitEpisodes } from './split.ts';
export { demonstrationFiles } from './walk.ts';
export { type Window, windows, writeChunk } from './windows.ts';
export { type Demonstration, DemonstrationWriter, type TaskHeader } from './writer.ts';
