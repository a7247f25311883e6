/**
 * Where the pictures of one view of an episode lie in its file. Training reads single pictures in any order, as often as it
 * sees them; asked through the library each would cost a walk through the file. Where a chunk is a picture, its address is
 * noted once, and reading it is one read and one decompression. 16 bytes a picture are kept.
 */
import type { Picture } from '../robot/index.ts';
import type { EpisodeHeader } from './episode.ts';
import { flipped, isUpsideDown, PICTURES } from './frames.ts';
import { chunksOf } from './hdf5/chunks.ts';
import { isUndone, readChunk } from './hdf5/filters.ts';
import { layoutOf } from './hdf5/layout.ts';
import { addressOf, type Place } from './hdf5/links.ts';
import { maximumOf } from './hdf5/metadata.ts';
import { requireDataset } from './hdf5/numbers.ts';
import { RawFile } from './hdf5/raw.ts';
import { requireStored } from './hdf5/storage.ts';
import { numberType } from './hdf5/types.ts';

export interface PictureTable {
  readonly width: number;
  readonly height: number;
  readonly upsideDown: boolean;
  readonly filters: Parameters<typeof readChunk>[2];
  /** Of each step's chunk. */
  readonly addresses: Float64Array;
  readonly sizes: Uint32Array;
  readonly masks: Uint32Array;
}

/**
 * @returns undefined where a chunk is no single picture of bytes, or is compressed in a way that is not undone here
 * @throws NinaError for pictures that are not there or not whole.
 */
export function locatePictures(group: Place, { length, views }: EpisodeHeader, view: string): PictureTable | undefined {
  const { width, height } = views[view] ?? { width: 0, height: 0 };
  const { place, metadata } = requireDataset(group, `obs/${view}${PICTURES}`, [length, height, width, 3]);
  const { raw, root, library } = place.file;
  const messages = raw.messages(addressOf(place));
  const type = numberType(raw, messages, metadata);
  const layout = layoutOf(raw, messages);
  const filters = library.module.get_dataset_filters(root.file_id, place.path);
  const bytes = typeof type === 'object' && type.kind === 'integer' && type.size === 1 && !type.signed;
  if (!bytes || layout.kind !== 'chunked' || layout.chunk.join() !== `1,${height},${width},3`) return undefined;
  if (!filters.every(isUndone)) return undefined;
  requireStored(place, messages, metadata);
  const chunks = chunksOf(raw, layout, metadata.shape!, maximumOf(metadata));
  if (!chunks) return undefined;
  const table = {
    ...{ width, height, filters, upsideDown: isUpsideDown(group) },
    addresses: new Float64Array(length),
    sizes: new Uint32Array(length),
    masks: new Uint32Array(length),
  };
  for (const { place: at, address, size, mask } of chunks) {
    table.addresses[at[0]] = address;
    table.sizes[at[0]] = size ?? height * width * 3;
    table.masks[at[0]] = mask;
  }
  return table;
}

/** @throws NinaError where the file ends before it, or it is damaged. */
export function readPicture(file: string, table: PictureTable, step: number): Picture {
  const { width, height, upsideDown, filters } = table;
  using raw = new RawFile(file);
  const chunk = { place: [], address: table.addresses[step], size: table.sizes[step], mask: table.masks[step] };
  const pixels = readChunk(raw, chunk, filters, width * height * 3)!;
  return { width, height, data: upsideDown ? flipped(pixels, height) : pixels };
}
