/**
 * Safetensors files in and out, the one weight format that Python, Rust and the browser all read without running code;
 * safetensors-format.ts says what is in them.
 *
 * Reading is by position, in bounded pieces, so files larger than 2 GiB (Node's limit for one read) are as good as small
 * ones. Writing knows F32, F16, BF16 and I64.
 */
import * as fs from 'node:fs';
import { NinaError } from './errors.ts';
import { fileError, requireFile, writeAtomically, writeFully } from './files.ts';
import { FLOAT_BYTES, narrowed } from './floats.ts';
import {
  decodeSafetensors,
  indexSafetensors,
  PIECE_BYTES,
  product,
  type SafetensorsFile,
  type SafetensorsIndex,
  type Source,
  type StoredDType,
  type StoredTensor,
} from './safetensors-format.ts';

/**
 * Reads the tensors that `wanted` accepts (all, unless told otherwise); the others cost nothing, however large.
 * @throws NinaError when the file is missing, is not safetensors, is truncated, or holds a dtype outside F64, F32, F16, BF16, I64.
 */
export function readSafetensors(file: string, wanted: (name: string) => boolean = () => true): SafetensorsFile {
  using opened = openSource(file);
  return opened.during(() => decodeSafetensors(opened, file, wanted));
}

/** What a file holds, to be read tensor by tensor until it is disposed of. @throws NinaError as `readSafetensors` does. */
export function openSafetensors(file: string): SafetensorsIndex & Disposable {
  const opened = openSource(file);
  try {
    return { ...opened.during(() => indexSafetensors(opened, file)), [Symbol.dispose]: opened[Symbol.dispose] };
  } catch (cause) {
    opened[Symbol.dispose]();
    throw cause;
  }
}

/** A file that is read by position. `during` tells what the system refuses as a sentence. */
export function openSource(file: string): Source & Disposable & { during<T>(work: () => T): T } {
  requireFile(file);
  const during = <T>(work: () => T): T => {
    try {
      return work();
    } catch (cause) {
      throw fileError(`Could not read ${file}`, cause);
    }
  };
  const fd = during(() => fs.openSync(file, 'r'));
  return {
    size: fs.fstatSync(fd).size,
    read: (into, position) => during(() => readFully(fd, file, into, position)),
    during,
    [Symbol.dispose]: () => fs.closeSync(fd),
  };
}

/**
 * Writes tensors atomically. The bytes are a function of the arguments alone; the widest numbers come first so that every
 * tensor is aligned to its element size, otherwise the order is the record's.
 * @throws NinaError for a tensor whose numbers do not fill its shape, or are too large for its `dtype`.
 */
export function writeSafetensors(
  file: string,
  tensors: Readonly<Record<string, StoredTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  const all = Object.entries(tensors).map(([name, tensor]) => ({ name, ...tensor, dtype: dtypeOf(tensor) }));
  const ordered = all.toSorted((a, b) => BYTES[b.dtype] - BYTES[a.dtype]);
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : [];
  let offset = 0;
  for (const { name, shape, data, dtype } of ordered) {
    const count = product(shape);
    if (count !== data.length)
      throw new NinaError(
        `Cannot write ${file}: tensor "${name}" has shape [${shape}], ${count} numbers, but holds ${data.length}.`,
      );
    const end = offset + count * BYTES[dtype];
    header.push([name, { dtype, shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(header)));
  const head = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, ' ');
  head.writeBigUInt64LE(BigInt(head.length - 8), 0);
  json.copy(head, 8);
  writeAtomically(file, (temporary) => {
    const fd = fs.openSync(temporary, 'w');
    try {
      writeFully(fd, head);
      for (const { name, data, dtype } of ordered)
        if ((dtype === 'F16' || dtype === 'BF16') && data instanceof Float32Array)
          writeNarrowed(fd, dtype, data, `Cannot write ${file}: tensor "${name}"`);
        else writeFully(fd, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    } finally {
      fs.closeSync(fd);
    }
  });
}

const BYTES = { ...FLOAT_BYTES, I64: 8 } as const;

const dtypeOf = ({ data, dtype }: StoredTensor): StoredDType =>
  data instanceof BigInt64Array ? 'I64' : (dtype ?? 'F32');

/** Through a piece of scratch memory: a large tensor is not held twice. */
function writeNarrowed(fd: number, dtype: 'F16' | 'BF16', data: Float32Array, what: string): void {
  const scratch = new Uint16Array(Math.min(data.length, PIECE_BYTES / 2));
  // All ones: the exponent of what is not finite.
  const infinite = dtype === 'F16' ? 0x7c00 : 0x7f80;
  for (let start = 0; start < data.length; start += scratch.length) {
    const numbers = data.subarray(start, start + scratch.length);
    const part = scratch.subarray(0, numbers.length);
    narrowed(dtype, numbers, part);
    const beyond = part.findIndex((half, i) => (half & infinite) === infinite && Number.isFinite(numbers[i]));
    if (beyond >= 0)
      throw new NinaError(
        `${what} holds ${numbers[beyond]} at ${start + beyond}, which is beyond what ${dtype} holds. Write it as F32.`,
      );
    writeFully(fd, new Uint8Array(part.buffer, 0, part.byteLength));
  }
}

function readFully(fd: number, file: string, into: Uint8Array, position: number): void {
  for (let done = 0; done < into.length; ) {
    const read = fs.readSync(fd, into, done, Math.min(PIECE_BYTES, into.length - done), position + done);
    if (read === 0) throw new NinaError(`${file} became shorter while it was being read. Copy the file again.`);
    done += read;
  }
}
