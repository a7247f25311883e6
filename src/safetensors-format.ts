/**
 * The format of safetensors, wherever the bytes are: a u64 header length, a JSON header { name: { dtype, shape,
 * data_offsets } }, raw little-endian data. Files are read and written by safetensors.ts.
 *
 * Reading is tensor by tensor in bounded pieces. F16, BF16 and F64 become float32; I64 stays BigInt64Array.
 */
import { NinaError } from './errors.ts';
import { FLOAT_BYTES, toFloat32 } from './floats.ts';
import { ambiguity } from './json.ts';

/** A tensor as stored; `data.length` is the product of `shape`. */
export interface StoredTensor<D extends Float32Array | BigInt64Array = Float32Array | BigInt64Array> {
  readonly shape: readonly number[];
  readonly data: D;
  /** How floats are written, in half the bytes; F32 unless given. */
  readonly dtype?: 'F16' | 'BF16';
}

export interface SafetensorsFile {
  /** In the order of the data. */
  readonly tensors: Record<string, StoredTensor>;
  readonly metadata: Record<string, string>;
}

const BYTES = { ...FLOAT_BYTES, I64: 8 } as const;
export type StoredDType = keyof typeof BYTES;

/** A tensor that is read when it is asked for. */
export interface UnreadTensor {
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
  /** Its numbers, in an array of their own. */
  read(): Float32Array | BigInt64Array;
}

/** What a file holds; nothing but the header has been read. */
export interface SafetensorsIndex {
  /** In the order of the data. */
  readonly tensors: ReadonlyMap<string, UnreadTensor>;
  readonly metadata: Record<string, string>;
}

interface Entry {
  name: string;
  dtype: StoredDType;
  shape: number[];
  count: number;
  begin: number;
  end: number;
}

/** Bytes of a conversion at once; bounds its scratch memory. */
export const PIECE_BYTES = 64 * 2 ** 20;
/** The format's own limit; a larger length means that the file is something else. */
const MAX_HEADER_BYTES = 100_000_000;

/** Where the bytes are: a file, or memory. */
export interface Source {
  readonly size: number;
  /** Fills `into` with the bytes from `position` on. */
  read(into: Uint8Array, position: number): void;
}

/**
 * The tensors that `wanted` accepts; the others cost nothing, however large.
 * @param where how messages name the source
 * @throws NinaError for what is no safetensors, truncated, or of a dtype outside F64, F32, F16, BF16, I64.
 */
export function decodeSafetensors(
  source: Source,
  where: string,
  wanted: (name: string) => boolean = () => true,
): SafetensorsFile {
  const { tensors, metadata } = indexSafetensors(source, where);
  const read = [...tensors]
    .filter(([name]) => wanted(name))
    .map(([name, tensor]): [string, StoredTensor] => [name, { shape: tensor.shape, data: tensor.read() }]);
  return { tensors: Object.fromEntries(read), metadata };
}

/** What the file holds, to be read tensor by tensor. @throws NinaError as `decodeSafetensors` does. */
export function indexSafetensors(source: Source, where: string): SafetensorsIndex {
  const { entries, metadata, dataStart } = readHeader(source, where);
  const tensors = entries.map((entry): [string, UnreadTensor] => [
    entry.name,
    { dtype: entry.dtype, shape: entry.shape, read: () => readNumbers(source, entry, dataStart + entry.begin) },
  ]);
  return { tensors: new Map(tensors), metadata };
}

/** A whole file's bytes, as a browser fetches them. @throws NinaError as `decodeSafetensors` does. */
export const parseSafetensors = (bytes: Uint8Array, where = 'The weights'): SafetensorsFile =>
  decodeSafetensors(
    { size: bytes.length, read: (into, position) => into.set(bytes.subarray(position, position + into.length)) },
    where,
  );

function readHeader({ size, read }: Source, file: string) {
  const reject = (what: string) =>
    new NinaError(`${file} is not a whole safetensors file: ${what}. Copy or download the file again.`);
  if (size < 8) throw reject(`it has ${size} bytes, fewer than the 8 of the header's length`);
  const prefix = new Uint8Array(8);
  read(prefix, 0);
  const headerBytes = Number(new DataView(prefix.buffer).getBigUint64(0, true));
  if (headerBytes > MAX_HEADER_BYTES || 8 + headerBytes > size)
    throw reject(`its header claims ${headerBytes} bytes, but the file has ${size}`);
  const text = new Uint8Array(headerBytes);
  read(text, 8);
  let header: unknown;
  let json: string;
  try {
    json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text);
    header = JSON.parse(json);
  } catch (cause) {
    throw new NinaError(`${file} is not a safetensors file: its header is not JSON.`, { cause });
  }
  if (!isRecord(header)) throw reject('its header is not a JSON object');
  // Two tensors of one name would silently become one.
  const wrong = ambiguity(json);
  if (wrong) throw reject(`in its header, ${wrong}`);
  const dataBytes = size - 8 - headerBytes;
  let metadata: Record<string, string> = {};
  const entries: Entry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') {
      if (!isTexts(value)) throw reject('its __metadata__ is not an object of strings');
      metadata = value;
    } else entries.push(parseEntry(file, name, value, reject));
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let expected = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== expected) throw reject(`tensor "${name}" begins at byte ${begin} of the data, expected ${expected}`);
    if (end > dataBytes) throw reject(`tensor "${name}" ends at byte ${end} of the data, but there are ${dataBytes}`);
    expected = end;
  }
  if (expected !== dataBytes) throw reject(`its tensors cover ${expected} bytes of data, but there are ${dataBytes}`);
  return { entries, metadata, dataStart: 8 + headerBytes };
}

function parseEntry(file: string, name: string, value: unknown, reject: (what: string) => NinaError): Entry {
  if (!isRecord(value)) throw reject(`the header's entry for "${name}" is not an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(BYTES, dtype))
    throw new NinaError(
      `${file}: tensor "${name}" has dtype ${show(dtype)}; this reader knows ${Object.keys(BYTES).join(', ')}. Convert it first.`,
    );
  if (!isSizes(shape)) throw reject(`tensor "${name}" has the shape ${show(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2) throw reject(`tensor "${name}" has the data_offsets ${show(offsets)}`);
  const [begin, end] = offsets as [number, number];
  const count = product(shape);
  const wanted = count * BYTES[dtype as StoredDType];
  if (end - begin !== wanted)
    throw reject(
      `tensor "${name}" (${dtype} [${shape}]) needs ${wanted} bytes, but its data_offsets span ${end - begin}`,
    );
  return { name, dtype: dtype as StoredDType, shape, count, begin, end };
}

/** Numbers of a source, in bounded pieces. @param position of the first byte */
export function readNumbers(
  { read }: Source,
  { dtype, count }: { readonly dtype: StoredDType; readonly count: number },
  position: number,
): Float32Array | BigInt64Array {
  if (dtype === 'I64' || dtype === 'F32') {
    const data = dtype === 'I64' ? new BigInt64Array(count) : new Float32Array(count);
    read(new Uint8Array(data.buffer), position);
    return data;
  }
  const data = new Float32Array(count);
  const bytes = BYTES[dtype];
  const piece = new Uint8Array(Math.min(count * bytes, PIECE_BYTES));
  for (let start = 0; start < count; start += piece.length / bytes) {
    const part = data.subarray(start, start + piece.length / bytes);
    const raw = piece.subarray(0, part.length * bytes);
    read(raw, position + bytes * start);
    toFloat32(dtype, raw, part);
  }
  return data;
}

export const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const isRecord = (x: unknown): x is Record<string, unknown> => typeof x === 'object' && x !== null && !Array.isArray(x);
/** The start of what was found, which may be anything. */
const show = (x: unknown) => (JSON.stringify(x) ?? 'none').slice(0, 80);
const isTexts = (x: unknown): x is Record<string, string> =>
  isRecord(x) && Object.values(x).every((text) => typeof text === 'string');
const isSizes = (x: unknown): x is number[] => Array.isArray(x) && x.every((n) => Number.isSafeInteger(n) && n >= 0);
