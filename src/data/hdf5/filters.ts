/**
 * Filters of compressed datasets. The library build has HDF5's own; `lzf`, which every h5py writes, is undone here from
 * the raw chunks, and any other is named with what to do.
 */
import * as zlib from 'node:zlib';
import type { Filter } from 'h5wasm/node';
import { NinaError } from '../../errors.ts';
import type { Chunk } from './chunk.ts';
import { lzf } from './lzf.ts';
import type { RawFile } from './raw.ts';

const DEFLATE = 1;
const SHUFFLE = 2;
const FLETCHER32 = 3;
export const LZF = 32000;

/** Those registered with the HDF Group that occur, by their number. */
const NAMES: Readonly<Record<number, string>> = {
  1: 'gzip',
  2: 'shuffle',
  3: 'fletcher32',
  4: 'szip',
  5: 'nbit',
  6: 'scaleoffset',
  305: 'lzo',
  307: 'bzip2',
  32000: 'lzf',
  32001: 'blosc',
  32004: 'lz4',
  32008: 'bitshuffle',
  32013: 'zfp',
  32015: 'zstd',
  32017: 'sz',
  32019: 'jpeg',
  32024: 'sz3',
  32026: 'blosc2',
  32029: 'htj2k',
};

/** Filters that the library build undoes itself. */
export const isBuiltIn = ({ id }: Filter): boolean => id >= DEFLATE && id <= 6;

/** @returns the error that says which filters a dataset has that cannot be undone, and what to do. */
export function filterError(title: string, file: string, filters: readonly Filter[], cause?: unknown): NinaError {
  const names = filters.map(({ id }) => (NAMES[id] ? `${NAMES[id]} (filter ${id})` : `filter ${id}`)).join(' and ');
  return new NinaError(
    `${title} is compressed with ${names}, which cannot be undone here. Repack the file with gzip where that filter is ` +
      `installed: h5repack -f GZIP=4 ${file} OUT.hdf5.`,
    { cause },
  );
}

/**
 * The bytes of one chunk as they were before the filters.
 * @param bytes of a whole chunk
 * @returns undefined where a filter is none that is undone here
 */
export function readChunk(
  raw: RawFile,
  chunk: Chunk,
  filters: readonly Filter[],
  bytes: number,
): Uint8Array | undefined {
  let data = raw.read(chunk.address, chunk.size ?? bytes).bytes(chunk.size ?? bytes);
  for (let i = filters.length - 1; i >= 0; i--) {
    // Optional filters that would not shrink a chunk are left out of it.
    if (chunk.mask & (1 << i)) continue;
    const { id, cd_values } = filters[i];
    if (id === LZF) data = lzf(data, bytes, raw);
    else if (id === DEFLATE) data = new Uint8Array(zlib.inflateSync(data));
    else if (id === SHUFFLE) data = unshuffle(data, cd_values[0]);
    else if (id === FLETCHER32) data = checked(data, raw);
    else return undefined;
  }
  if (data.length !== bytes) throw raw.damaged(`a chunk has ${data.length} of its ${bytes} bytes`);
  return data;
}

/** Shuffle stores the first bytes of all elements, then all second bytes, and so on. */
function unshuffle(bytes: Uint8Array, size: number): Uint8Array {
  const count = Math.floor(bytes.length / size);
  const out = bytes.slice();
  for (let i = 0; i < count; i++) for (let b = 0; b < size; b++) out[i * size + b] = bytes[b * count + i];
  return out;
}

/** Checks and removes the trailing Fletcher-32 checksum (over big-endian 16-bit words). */
function checked(bytes: Uint8Array, raw: RawFile): Uint8Array {
  const data = bytes.subarray(0, -4);
  let [low, high] = [0, 0];
  for (let i = 0; i < data.length; i += 2) {
    low = (low + data[i] * 256 + (data[i + 1] ?? 0)) % 65535;
    high = (high + low) % 65535;
  }
  const stored = new DataView(bytes.buffer, bytes.byteOffset + data.length, 4);
  const [storedLow, storedHigh] = [stored.getUint16(0, true), stored.getUint16(2, true)];
  // Sums are equal modulo 65535, of which 0 and 65535 are both ways to write 0.
  if (storedLow % 65535 !== low || storedHigh % 65535 !== high) throw raw.damaged('the checksum of a chunk is wrong');
  return data;
}
