/** Numeric datasets, read exactly, whole or some of their rows, or refused with a sentence that names the dataset. */
import type { Metadata } from 'h5wasm/node';
import { NinaError } from '../../errors.ts';
import type { Chunk } from './chunk.ts';
import { chunksOf } from './chunks.ts';
import { filterError, isBuiltIn, LZF, readChunk } from './filters.ts';
import { layoutOf } from './layout.ts';
import { addressOf, datasetNames, find, type Place } from './links.ts';
import { maximumOf, metadataOf } from './metadata.ts';
import { hdf5Error } from './open.ts';
import type { Message } from './raw.ts';
import { requireStored } from './storage.ts';
import { decodeNumbers, numberType } from './types.ts';

/** Rows [from, to) of a dataset. */
export type Rows = readonly [from: number, to: number];

/**
 * A dataset whose shape must match `shape` (null: any size); none of its numbers is read.
 * @throws NinaError naming a missing dataset (and those found), or the two shapes.
 */
export function requireDataset(
  group: Place,
  name: string,
  shape: readonly (number | null)[],
): { place: Place; metadata: Metadata; shape: number[] } {
  const place = find(group, name);
  if (!place)
    throw new NinaError(`${group.title} has no dataset '${name}'. Found: ${datasetNames(group).join(', ') || 'none'}.`);
  const metadata = metadataOf(place);
  if (!metadata.shape) throw new NinaError(`${place.title} is empty: it has a type and no numbers.`);
  const found = metadata.shape;
  if (found.length !== shape.length || shape.some((size, i) => size !== null && size !== found[i]))
    throw new NinaError(
      `${place.title} has shape [${found.join(', ')}]; wanted [${shape.map((size) => size ?? 'any').join(', ')}].`,
    );
  return { place, metadata, shape: found };
}

/**
 * A numeric dataset whose shape must match `shape` (null: any size), or the given rows of it.
 * @returns its numbers, row-major, and the shape of what was read.
 * @throws NinaError as `requireDataset`, and for a type that is none of numbers, a filter that cannot be undone, and
 * numbers that are not in the file.
 */
export function readNumbers(
  group: Place,
  name: string,
  shape: readonly (number | null)[],
  rows?: Rows,
): { data: Float64Array; shape: number[] } {
  const { place, metadata, shape: found } = requireDataset(group, name, shape);
  const { raw } = place.file;
  const messages = raw.messages(addressOf(place));
  const type = numberType(raw, messages, metadata);
  if (typeof type === 'string')
    throw new NinaError(
      `${place.title} holds ${type}, not numbers that are read here: integers, booleans, and IEEE floats of 16, 32 or ` +
        '64 bits. Convert it.',
    );
  requireStored(place, messages, metadata);
  if (found.includes(0)) return { data: new Float64Array(0), shape: found };
  const [from, to] = rows ?? [0, found[0]];
  const rowBytes = found.slice(1).reduce((product, size) => product * size, metadata.size);
  // A dataset of lzf chunks is undone whole: that is our own code, of few lines.
  const own = readLzf(place, messages, metadata)?.subarray(from * rowBytes, to * rowBytes);
  const { data, inexact } = own
    ? decodeNumbers(own, type)
    : decodeNumbers(readBytes(place, metadata, rows, rowBytes), { ...type, littleEndian: true });
  if (inexact !== undefined)
    throw new NinaError(`${place.title} holds ${inexact}, which is beyond what float64 holds exactly.`);
  return { data, shape: [to - from, ...found.slice(1)] };
}

/** The bytes of the rows, or of the whole dataset; its numbers little-endian. */
function readBytes(
  place: Place,
  { size, total_size, virtual_sources, shape }: Metadata,
  rows: Rows | undefined,
  rowBytes: number,
): Uint8Array {
  const { module } = place.file.library;
  const bytes = rows ? (rows[1] - rows[0]) * rowBytes : size * total_size;
  const pointer = bytes < module.MAXIMUM_MEMORY ? module._malloc(bytes) : 0;
  if (pointer === 0) throw new NinaError(`${place.title} has ${bytes} bytes, more than can be read at once.`);
  try {
    const [count, offset] = rows ? slab(shape!, rows) : [null, null];
    const strides = rows ? shape!.map(() => 1n) : null;
    module.get_dataset_data(place.file.root.file_id, place.path, count, offset, strides, BigInt(pointer));
    return module.HEAPU8.slice(pointer, pointer + bytes);
  } catch (cause) {
    const filters = module.get_dataset_filters(place.file.root.file_id, place.path);
    const missing = filters.filter((filter) => !isBuiltIn(filter) || isMissing(cause));
    if (missing.length > 0) throw filterError(place.title, place.file.name, missing, cause);
    // A virtual dataset has no filters of its own.
    if (virtual_sources && (/in H5PL_/.test(String(cause)) || isMissing(cause)))
      throw new NinaError(
        `${place.title} has a source that is compressed with a filter which cannot be undone here. Repack it with gzip.`,
        { cause },
      );
    throw hdf5Error(`${place.title} is damaged and cannot be read`, cause);
  } finally {
    module._free(pointer);
  }
}

/** The block of these rows, as HDF5 wants it: how many along each axis, and from where. */
const slab = (shape: readonly number[], [from, to]: Rows): [count: bigint[], offset: bigint[]] => [
  shape.map((size, axis) => BigInt(axis === 0 ? to - from : size)),
  shape.map((_, axis) => BigInt(axis === 0 ? from : 0)),
];

const isMissing = (cause: unknown) => /required filter .* is not registered/.test(String(cause));

/** The bytes of a dataset whose filters include lzf, as stored; undefined for others. */
function readLzf(place: Place, messages: readonly Message[], metadata: Metadata): Uint8Array | undefined {
  if (!metadata.chunks) return undefined;
  const { raw, root, library } = place.file;
  const filters = library.module.get_dataset_filters(root.file_id, place.path);
  if (!filters.some(({ id }) => id === LZF)) return undefined;
  const layout = layoutOf(raw, messages);
  const shape = metadata.shape!;
  const chunks = layout.kind === 'chunked' ? chunksOf(raw, layout, shape, maximumOf(metadata)) : undefined;
  if (layout.kind !== 'chunked' || !chunks) throw filterError(place.title, place.file.name, filters);
  const bytes = layout.chunk.reduce((product, size) => product * size, metadata.size);
  const out = new Uint8Array(metadata.size * metadata.total_size);
  for (const chunk of chunks) {
    const data = readChunk(raw, chunk, filters, bytes);
    if (!data) throw filterError(place.title, place.file.name, filters);
    copyChunk(data, chunk, layout.chunk, shape, metadata.size, out);
  }
  return out;
}

/** Copies a chunk's rows to their places; what lies beyond the dataset's edge is left out. */
function copyChunk(
  data: Uint8Array,
  { place }: Chunk,
  chunk: readonly number[],
  shape: readonly number[],
  size: number,
  out: Uint8Array,
): void {
  const last = shape.length - 1;
  const copy = (d: number, from: number, to: number): void => {
    const start = place[d] * chunk[d];
    const count = Math.min(chunk[d], shape[d] - start);
    if (d === last) {
      if (count > 0)
        out.set(
          data.subarray(from * chunk[d] * size, (from * chunk[d] + count) * size),
          (to * shape[d] + start) * size,
        );
      return;
    }
    for (let i = 0; i < count; i++) copy(d + 1, from * chunk[d] + i, to * shape[d] + start + i);
  };
  copy(0, 0, 0);
}
