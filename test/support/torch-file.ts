/** Writes what torch.save writes, byte by byte, so that tests can make what it never would. */
import * as fs from 'node:fs';
import * as zlib from 'node:zlib';

/** A tensor of a checkpoint: a strided view of numbers that other tensors may share. */
export interface TorchTensor {
  readonly storage: TorchStorage;
  readonly shape: readonly number[];
  readonly offset?: number;
  /** Row-major unless given. */
  readonly strides?: readonly number[];
}

export interface TorchStorage {
  /** 'Float' */
  readonly type: string;
  readonly data: Uint8Array | Float32Array | Float64Array | Uint16Array | BigInt64Array;
}

/** An object of a class: 'omegaconf.dictconfig.DictConfig', with a state. */
export class Instance {
  constructor(
    readonly type: string,
    readonly state: unknown = null,
  ) {}
}

/** Pickle code as it is. */
export class Code {
  constructor(readonly bytes: string) {}
}

export const storage = (numbers: readonly number[]): TorchStorage => ({
  type: 'Float',
  data: Float32Array.from(numbers),
});
export const tensor = (numbers: readonly number[], shape: readonly number[] = [numbers.length]): TorchTensor => ({
  storage: storage(numbers),
  shape,
});

const global = (name: string) => `c${name.slice(0, name.lastIndexOf('.'))}\n${name.slice(name.lastIndexOf('.') + 1)}\n`;
const bytesOf = (text: string) => Buffer.from(text, 'latin1');

/** Dictionaries are Maps (collections.OrderedDict) or plain objects. The storages are collected in `storages`. */
export function pickle(value: unknown, storages: TorchStorage[] = []): Buffer {
  return bytesOf(`\x80\x02${code(value, storages)}.`);
}

function code(value: unknown, storages: TorchStorage[]): string {
  const go = (part: unknown) => code(part, storages);
  if (value === null) return 'N';
  if (typeof value === 'boolean') return value ? '\x88' : '\x89';
  if (typeof value === 'number') return Number.isInteger(value) ? `I${value}\n` : `F${value}\n`;
  if (typeof value === 'string') return text(value);
  if (value instanceof Code) return value.bytes;
  if (value instanceof Instance) return `${global(value.type)})\x81${go(value.state)}b`;
  if (Array.isArray(value)) return `](${value.map(go).join('')}e`;
  if (value instanceof Map) return `${global('collections.OrderedDict')})R(${[...value].flat().map(go).join('')}u`;
  const { storage: held, shape, offset = 0, strides } = value as TorchTensor;
  if (!held)
    return `}(${Object.entries(value as object)
      .flat()
      .map(go)
      .join('')}u`;
  if (!storages.includes(held)) storages.push(held);
  const key = storages.indexOf(held);
  const id = `(${text('storage')}${global(`torch.${held.type}Storage`)}${text(`${key}`)}${text('cpu')}${go(held.data.length)}tQ`;
  const tuple = (numbers: readonly number[]) => `(${numbers.map(go).join('')}t`;
  const rows = strides ?? shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const hooks = `${global('collections.OrderedDict')})R`;
  return `${global('torch._utils._rebuild_tensor_v2')}(${id}${go(offset)}${tuple(shape)}${tuple(rows)}\x89${hooks}tR`;
}

function text(value: string): string {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return `X${length.toString('latin1')}${bytes.toString('latin1')}`;
}

/** A file of torch.save. */
export function writeTorch(file: string, value: unknown, stem = 'archive'): void {
  const storages: TorchStorage[] = [];
  const entries: [string, Uint8Array][] = [[`${stem}/data.pkl`, pickle(value, storages)]];
  entries.push([`${stem}/byteorder`, bytesOf('little')]);
  for (const [i, { data }] of storages.entries())
    entries.push([`${stem}/data/${i}`, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]);
  fs.writeFileSync(file, zip(entries));
}

/**
 * A zip archive of stored entries.
 * @param far entries have no more than their zip64 records, as those of large archives
 */
export function zip(entries: readonly (readonly [string, Uint8Array])[], { far = false, method = 0 } = {}): Buffer {
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  const put = (...buffers: Buffer[]) => {
    parts.push(...buffers);
    for (const b of buffers) at += b.length;
  };
  for (const [name, data] of entries) {
    const start = at;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(method, 8);
    local.writeUInt32LE(zlib.crc32(data), 14);
    local.writeUInt32LE(data.length, 18);
    local.writeUInt32LE(data.length, 22);
    local.writeUInt16LE(name.length, 26);
    // torch pads each entry, so that its bytes begin at a multiple of 64.
    const padding = (64 - ((at + 30 + name.length) % 64)) % 64;
    local.writeUInt16LE(padding, 28);
    put(local, bytesOf(name), Buffer.alloc(padding), Buffer.from(data));
    const record = Buffer.alloc(46);
    record.writeUInt32LE(0x02014b50, 0);
    record.writeUInt16LE(method, 10);
    record.writeUInt32LE(zlib.crc32(data), 16);
    record.writeUInt32LE(far ? 0xffffffff : data.length, 20);
    record.writeUInt32LE(far ? 0xffffffff : data.length, 24);
    record.writeUInt16LE(name.length, 28);
    record.writeUInt32LE(far ? 0xffffffff : start, 42);
    const extra = Buffer.alloc(far ? 28 : 0);
    if (far) {
      extra.writeUInt16LE(1, 0);
      extra.writeUInt16LE(24, 2);
      extra.writeBigUInt64LE(BigInt(data.length), 4);
      extra.writeBigUInt64LE(BigInt(data.length), 12);
      extra.writeBigUInt64LE(BigInt(start), 20);
    }
    record.writeUInt16LE(extra.length, 30);
    central.push(record, bytesOf(name), extra);
  }
  const directory = Buffer.concat(central);
  const start = at;
  put(directory);
  if (far) {
    const record = Buffer.alloc(56);
    record.writeUInt32LE(0x06064b50, 0);
    record.writeBigUInt64LE(BigInt(entries.length), 32);
    record.writeBigUInt64LE(BigInt(directory.length), 40);
    record.writeBigUInt64LE(BigInt(start), 48);
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x07064b50, 0);
    locator.writeBigUInt64LE(BigInt(at), 8);
    put(record, locator);
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(far ? 0xffff : entries.length, 10);
  end.writeUInt32LE(far ? 0xffffffff : directory.length, 12);
  end.writeUInt32LE(far ? 0xffffffff : start, 16);
  put(end);
  return Buffer.concat(parts);
}
