/**
 * The zip archives that torch.save writes: every entry stored as it is, so that each is a place in the file (APPNOTE.TXT
 * 6.3.10; with its zip64 records, since checkpoints pass 4 GiB).
 */
import * as zlib from 'node:zlib';
import { NinaError } from '../errors.ts';
import type { Source } from '../safetensors-format.ts';

/** Where an entry's bytes lie in the file. */
export interface ZipEntry {
  readonly offset: number;
  readonly size: number;
  /** Of its bytes; 0 where the writer was told not to compute it. */
  readonly crc32: number;
}

const END = 0x06054b50;
const END_BYTES = 22;
const LONGEST_COMMENT = 65535;
const END64_LOCATOR = 0x07064b50;
const END64 = 0x06064b50;
const CENTRAL = 0x02014b50;
const CENTRAL_BYTES = 46;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
/** In the place of a number that only the zip64 record holds. */
const ELSEWHERE = 0xffffffff;

/** What every zip file begins with, but for an empty one. */
export const isZip = (start: Uint8Array): boolean =>
  start.length >= 4 && new DataView(start.buffer, start.byteOffset).getUint32(0, true) === LOCAL;

/**
 * The entries by name, in the order of the archive.
 * @throws NinaError for what is no whole zip, and for compressed or encrypted entries.
 */
export function readZip(source: Source, file: string): Map<string, ZipEntry> {
  const reject = (what: string) =>
    new NinaError(`${file} is not a whole zip file: ${what}. Copy or download it again.`);
  const at = (position: number, length: number, what: string): DataView => {
    if (!(position >= 0 && position + length <= source.size))
      throw reject(`${what} lies beyond its ${source.size} bytes`);
    const bytes = new Uint8Array(length);
    source.read(bytes, position);
    return new DataView(bytes.buffer);
  };
  const { entries: count, size, offset } = directoryOf(source.size, at, reject);
  const directory = at(offset, size, 'its directory');
  const found = new Map<string, ZipEntry>();
  let p = 0;
  for (let i = 0; i < count; i++) {
    if (p + CENTRAL_BYTES > size || directory.getUint32(p, true) !== CENTRAL)
      throw reject(`its directory has no entry ${i} of ${count}`);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((o) => directory.getUint16(p + o, true));
    const end = p + CENTRAL_BYTES + nameBytes + extraBytes + commentBytes;
    if (end > size) throw reject(`entry ${i} of its directory is cut`);
    const name = new TextDecoder().decode(new Uint8Array(directory.buffer, p + CENTRAL_BYTES, nameBytes));
    if (found.has(name)) throw reject(`two of its entries are named ${name}`);
    const [flags, method] = [8, 10].map((o) => directory.getUint16(p + o, true));
    if (method !== 0 || (flags & 1) !== 0)
      throw new NinaError(
        `${file}: the entry ${name} is ${method === 0 ? 'encrypted' : 'compressed'}. torch.save stores entries as they are: save the checkpoint again with it.`,
      );
    const place = placeOf(directory, p, p + CENTRAL_BYTES + nameBytes, extraBytes, () =>
      reject(`the sizes of ${name} are not told`),
    );
    const local = at(place.local, LOCAL_BYTES, `the entry ${name}`);
    if (local.getUint32(0, true) !== LOCAL) throw reject(`the entry ${name} is not where its directory says`);
    const data = place.local + LOCAL_BYTES + local.getUint16(26, true) + local.getUint16(28, true);
    if (data + place.size > source.size) throw reject(`the entry ${name} lies beyond its ${source.size} bytes`);
    found.set(name, { offset: data, size: place.size, crc32: directory.getUint32(p + 16, true) });
    p = end;
  }
  return found;
}

type At = (position: number, length: number, what: string) => DataView;

/** Where the directory lies: told at the end of the file, or by the zip64 record that is told there. */
function directoryOf(fileSize: number, at: At, reject: (what: string) => NinaError) {
  const tail = at(
    Math.max(0, fileSize - END_BYTES - LONGEST_COMMENT),
    Math.min(fileSize, END_BYTES + LONGEST_COMMENT),
    '',
  );
  let end = tail.byteLength - END_BYTES;
  while (end >= 0 && tail.getUint32(end, true) !== END) end--;
  if (end < 0) throw reject('it has no directory at its end, so it is cut or something else');
  const place = fileSize - tail.byteLength + end;
  const short = {
    entries: tail.getUint16(end + 10, true),
    size: tail.getUint32(end + 12, true),
    offset: tail.getUint32(end + 16, true),
  };
  if (place < 20) return short;
  const locator = at(place - 20, 20, '');
  if (locator.getUint32(0, true) !== END64_LOCATOR) return short;
  const record = at(Number(locator.getBigUint64(8, true)), 56, 'its zip64 record');
  if (record.getUint32(0, true) !== END64) throw reject('its zip64 record is not where its end says');
  const [entries, size, offset] = [32, 40, 48].map((o) => Number(record.getBigUint64(o, true)));
  return { entries, size, offset };
}

/** Size and place of an entry; numbers beyond 32 bits are in its zip64 field. */
function placeOf(directory: DataView, p: number, extra: number, extraBytes: number, missing: () => NinaError) {
  let size = directory.getUint32(p + 24, true);
  let local = directory.getUint32(p + 42, true);
  const compressed = directory.getUint32(p + 20, true);
  if (size !== ELSEWHERE && local !== ELSEWHERE) return { size, local };
  for (let q = extra; q + 4 <= extra + extraBytes; ) {
    const [id, length] = [directory.getUint16(q, true), directory.getUint16(q + 2, true)];
    if (id === 1) {
      let o = q + 4;
      const next = () => {
        if (o + 8 > q + 4 + length || o + 8 > extra + extraBytes) throw missing();
        o += 8;
        return Number(directory.getBigUint64(o - 8, true));
      };
      if (size === ELSEWHERE) size = next();
      if (compressed === ELSEWHERE) next();
      if (local === ELSEWHERE) local = next();
      return { size, local };
    }
    q += 4 + length;
  }
  throw missing();
}

/** The bytes of a small entry. @throws NinaError when they are not those that were written. */
export function readEntry(source: Source, entry: ZipEntry, name: string, file: string): Uint8Array<ArrayBuffer> {
  checkEntry(source, entry, name, file);
  const bytes = new Uint8Array(entry.size);
  source.read(bytes, entry.offset);
  return bytes;
}

/** @throws NinaError when the entry's bytes are not those that were written. */
export function checkEntry(source: Source, { offset, size, crc32 }: ZipEntry, name: string, file: string): void {
  if (crc32 === 0) return;
  const scratch = new Uint8Array(Math.min(size, SCRATCH_BYTES));
  let found = 0;
  for (let p = 0; p < size; p += scratch.length) {
    const piece = scratch.subarray(0, size - p);
    source.read(piece, offset + p);
    found = zlib.crc32(piece, found);
  }
  if (found !== crc32)
    throw new NinaError(
      `${file}: the entry ${name} is damaged (its checksum is ${found}, ${crc32} was written). Copy or download the file again.`,
    );
}

const SCRATCH_BYTES = 2 ** 22;
