/**
 * Number types as they occur in files, read exactly or refused by name. The library tells a type's class and size only;
 * the datatype message of the object header (HDF5 File Format Specification, section IV.A.2.d) tells IEEE half precision
 * from bfloat16, and float64 from the formats that are padded to its size.
 */
import type { Metadata } from 'h5wasm/node';
import type { Cursor } from './cursor.ts';
import { MESSAGE, type Message, type RawFile } from './raw.ts';

export interface NumberType {
  kind: 'integer' | 'float';
  /** Bytes. */
  size: number;
  signed: boolean;
  /** As stored; the library hands all numbers back little-endian. */
  littleEndian: boolean;
}

const CLASS_NAMES = [
  'integers',
  'floats',
  'times',
  'strings',
  'bit fields',
  'opaque bytes',
  'compounds',
  'references',
  'enumeration values',
  'lists of varying length',
  'arrays',
  'complex numbers',
];

/** IEEE 754 layouts by size in bytes: exponent at, bits; mantissa at, bits; bias. */
const IEEE: Readonly<Record<number, readonly number[]>> = {
  2: [10, 5, 0, 10, 15],
  4: [23, 8, 0, 23, 127],
  8: [52, 11, 0, 52, 1023],
};

/** The type of a dataset's numbers, or the name of the type that is none we read. */
export function numberType(raw: RawFile, messages: readonly Message[], metadata: Metadata): NumberType | string {
  const message = messages.find(({ type }) => type === MESSAGE.datatype);
  if (!message) throw raw.damaged('a dataset has no type');
  const body = message.shared ? committed(raw, message.body()) : message.body();
  return body ? parse(body) : named(metadata);
}

function parse(body: Cursor): NumberType | string {
  const kind = body.u8() & 15;
  const bits = body.uint(3);
  const size = body.uint(4);
  const littleEndian = (bits & 1) === 0;
  if (kind === 8) {
    // Booleans are enumerations of one byte over integers.
    const base = parse(body);
    const boolean = (bits & 0xffff) === 2 && size === 1;
    return boolean ? base : `${CLASS_NAMES[kind]}`;
  }
  if (kind === 0) {
    const [offset, precision] = [body.uint(2), body.uint(2)];
    const whole = offset === 0 && precision === 8 * size && [1, 2, 4, 8].includes(size);
    return whole
      ? { kind: 'integer', size, signed: (bits & 8) !== 0, littleEndian }
      : `${precision}-bit integers in ${size} bytes`;
  }
  if (kind !== 1) return CLASS_NAMES[kind] ?? `an unknown type (class ${kind})`;
  const [offset, precision] = [body.uint(2), body.uint(2)];
  const found = [body.u8(), body.u8(), body.u8(), body.u8(), body.uint(4)];
  const vax = (bits & 0x40) !== 0;
  const ieee = IEEE[size]?.every((value, i) => value === found[i]);
  if (ieee && !vax && offset === 0 && precision === 8 * size)
    return { kind: 'float', size, signed: true, littleEndian };
  return `${precision}-bit floats (${found[1]} bits of exponent, ${found[3]} of mantissa) in ${size} bytes`;
}

/** The type that lies elsewhere in the file, undefined where it is in a heap of shared messages. */
function committed(raw: RawFile, body: Cursor): Cursor | undefined {
  const version = body.u8();
  const kind = body.u8();
  if (version === 3 && kind !== 2) return undefined;
  const address = raw.address(version === 1 ? body.skip(6) : body);
  return address === undefined
    ? undefined
    : raw
        .messages(address)
        .find(({ type, shared }) => type === MESSAGE.datatype && !shared)
        ?.body();
}

/** What the library says of the type: enough but for floats of unusual formats. */
function named({ type, size, signed, littleEndian }: Metadata): NumberType | string {
  if (type === 0 && [1, 2, 4, 8].includes(size)) return { kind: 'integer', size, signed, littleEndian };
  if (type === 1 && (size === 4 || size === 8)) return { kind: 'float', size, signed, littleEndian };
  return type === 1 ? `${8 * size}-bit floats` : (CLASS_NAMES[type] ?? `an unknown type (class ${type})`);
}

/**
 * Numbers from their bytes.
 * @returns undefined at the index of the first integer that float64 cannot hold
 */
export function decodeNumbers(bytes: Uint8Array, type: NumberType): { data: Float64Array; inexact?: bigint } {
  const { kind, size, signed, littleEndian } = type;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data = new Float64Array(bytes.length / size);
  let inexact: bigint | undefined;
  const one = (at: number): number => {
    if (kind === 'float') {
      if (size === 8) return view.getFloat64(at, littleEndian);
      return size === 4 ? view.getFloat32(at, littleEndian) : half(view.getUint16(at, littleEndian));
    }
    if (size === 1) return signed ? view.getInt8(at) : view.getUint8(at);
    if (size === 2) return signed ? view.getInt16(at, littleEndian) : view.getUint16(at, littleEndian);
    if (size === 4) return signed ? view.getInt32(at, littleEndian) : view.getUint32(at, littleEndian);
    const big = signed ? view.getBigInt64(at, littleEndian) : view.getBigUint64(at, littleEndian);
    if (BigInt(Number(big)) !== big) inexact ??= big;
    return Number(big);
  };
  for (let i = 0; i < data.length; i++) data[i] = one(i * size);
  return { data, inexact };
}

/** IEEE 754 binary16: sign, 5 bits of exponent (bias 15), 10 of mantissa. */
export function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * mantissa * 2 ** -24 : sign * (1024 + mantissa) * 2 ** (exponent - 25);
}
