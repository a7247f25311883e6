/** Numeric datasets, read exactly, whole or some of their rows, or refused with a sentence that names the dataset. */
import type { Filter, Metadata } from 'h5wasm/node';
import { NinaError } from '../../errors.ts';
import type { Chunk } from './chunk.ts';
import { chunksOf } from './chunks.ts';
import { filterError, isBuiltIn, LZF, readChunk } from './filters.ts';
import { layoutOf } from './layout.ts';
import { addressOf, datasetNames, find, type Place } from './links.ts';
import { maximumOf, metadataOf } from './metadata.ts';
import { hdf5Error } from './open.ts';
import { requireStored } from './storage.ts';
import { decodeNumbers, type NumberType, numberType } from './types.ts';

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

/** A dataset of numbers that are known to be there. */
export interface NumberSet {
  readonly place: Place;
  readonly shape: readonly number[];
  readonly type: NumberType;
  /** Whether its chunks are undone here, because the library lacks their filter. */
  readonly ownChunks: boolean;
}

/**
 * A numeric dataset whose shape must match `shape` (null: any size); none of its numbers is read.
 * @throws NinaError as `requireDataset`, and for a type that is none of numbers, and numbers that are not in the file.
 */
export function openNumbers(group: Place, name: string, shape: readonly (number | null)[]): NumberSet {
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
  const ownChunks = Boolean(metadata.chunks) && filtersOf(place).some(({ id }) => id === LZF);
  return { place, shape: found, type, ownChunks };
}

/**
 * The numbers of these rows, or of all, row-major.
 * @throws NinaError as `readBytes`, and for integers beyond what float64 holds exactly.
 */
export function readNumbers(set: NumberSet, rows: Rows = [0, set.shape[0]]): Float64Array {
  // The library hands all numbers back little-endian.
  const type = set.ownChunks ? set.type : { ...set.type, littleEndian: true };
  const { data, inexact } = decodeNumbers(readBytes(set, rows), type);
  if (inexact === undefined) return data;
  throw new NinaError(`${set.place.title} holds ${inexact}, which is beyond what float64 holds exactly.`);
}

/**
 * The bytes of these rows; of numbers of one byte, the numbers.
 * @throws NinaError for a filter that cannot be undone, and for damage.
 */
export function readBytes(set: NumberSet, rows: Rows): Uint8Array {
  const { place, shape, type, ownChunks } = set;
  const bytes = shape.slice(1).reduce((product, size) => product * size, (rows[1] - rows[0]) * type.size);
  if (bytes === 0) return new Uint8Array(0);
  if (ownChunks) return readChunks(set, rows);
  const { module } = place.file.library;
  const pointer = bytes < module.MAXIMUM_MEMORY ? module._malloc(bytes) : 0;
  if (pointer === 0) throw new NinaError(`${place.title} has ${bytes} bytes, more than can be read at once.`);
  try {
    const strides = shape.map(() => 1n);
    module.get_dataset_data(place.file.root.file_id, place.path, ...slab(shape, rows), strides, BigInt(pointer));
    return module.HEAPU8.slice(pointer, pointer + bytes);
  } catch (cause) {
    const missing = filtersOf(place).filter((filter) => !isBuiltIn(filter) || isMissing(cause));
    if (missing.length > 0) throw filterError(place.title, place.file.name, missing, cause);
    // A virtual dataset has no filters of its own.
    if (metadataOf(place).virtual_sources && (/in H5PL_/.test(String(cause)) || isMissing(cause)))
      throw new NinaError(
        `${place.title} has a source that is compressed with a filter which cannot be undone here. Repack it with gzip.`,
        { cause },
      );
    throw hdf5Error(`${place.title} is damaged and cannot be read`, cause);
  } finally {
    module._free(pointer);
  }
}

const filtersOf = ({ file, path }: Place): Filter[] => file.library.module.get_dataset_filters(file.root.file_id, path);

/** The block of these rows, as HDF5 wants it: how many along each axis, and from where. */
const slab = (shape: readonly number[], [from, to]: Rows): [count: bigint[], offset: bigint[]] => [
  shape.map((size, axis) => BigInt(axis === 0 ? to - from : size)),
  shape.map((_, axis) => BigInt(axis === 0 ? from : 0)),
];

const isMissing = (cause: unknown) => /required filter .* is not registered/.test(String(cause));

/** The bytes of these rows of a dataset whose filters include lzf, as stored. */
function readChunks({ place, shape, type }: NumberSet, [from, to]: Rows): Uint8Array {
  const { raw, name } = place.file;
  const filters = filtersOf(place);
  const layout = layoutOf(raw, raw.messages(addressOf(place)));
  const chunks = layout.kind === 'chunked' ? chunksOf(raw, layout, shape, maximumOf(metadataOf(place))) : undefined;
  if (layout.kind !== 'chunked' || !chunks) throw filterError(place.title, name, filters);
  const bytes = layout.chunk.reduce((product, size) => product * size, type.size);
  const rows = layout.chunk[0];
  // Those that hold one of the rows, and the rows of all of them.
  const [first, last] = [Math.floor(from / rows), Math.ceil(to / rows)];
  const part = [Math.min(last * rows, shape[0]) - first * rows, ...shape.slice(1)];
  const out = new Uint8Array(part.reduce((product, size) => product * size, type.size));
  for (const chunk of chunks) {
    const [row, ...rest] = chunk.place;
    if (row < first || row >= last) continue;
    const data = readChunk(raw, chunk, filters, bytes);
    if (!data) throw filterError(place.title, name, filters);
    copyChunk(data, { ...chunk, place: [row - first, ...rest] }, layout.chunk, part, type.size, out);
  }
  const rowBytes = out.length / part[0];
  return out.subarray((from - first * rows) * rowBytes, (to - first * rows) * rowBytes);
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
