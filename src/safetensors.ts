/**
 * Safetensors files in and out, the one weight format that Python, Rust and the browser all read without running code;
 * safetensors-format.ts says what is in them.
 *
 * Reading is by position, in bounded pieces, so files larger than 2 GiB (Node's limit for one read) are as good as small
 * ones. Writing knows F32 and I64 only.
 */
import * as fs from 'node:fs';
import { NinaError } from './errors.ts';
import { fileError, requireFile, writeAtomically } from './files.ts';
import {
  decodeSafetensors,
  PIECE_BYTES,
  product,
  type SafetensorsFile,
  type StoredDType,
  type StoredTensor,
} from './safetensors-format.ts';

/**
 * Reads the tensors that `wanted` accepts (all, unless told otherwise); the others cost nothing, however large.
 * @throws NinaError when the file is missing, is not safetensors, is truncated, or holds a dtype outside F32, F16, BF16, I64.
 */
export function readSafetensors(file: string, wanted: (name: string) => boolean = () => true): SafetensorsFile {
  requireFile(file);
  let fd: number;
  try {
    fd = fs.openSync(file, 'r');
  } catch (cause) {
    throw fileError(`Could not read ${file}`, cause);
  }
  try {
    const read = (into: Uint8Array, position: number) => readFully(fd, file, into, position);
    return decodeSafetensors({ size: fs.fstatSync(fd).size, read }, file, wanted);
  } catch (cause) {
    throw fileError(`Could not read ${file}`, cause);
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * Writes tensors atomically. The bytes are a function of the arguments alone; int64 comes first so that every tensor
 * is aligned to its element size, otherwise the order is the record's.
 */
export function writeSafetensors(
  file: string,
  tensors: Readonly<Record<string, StoredTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  const all = Object.entries(tensors);
  const wide = all.filter(([, t]) => t.data instanceof BigInt64Array);
  const ordered = [...wide, ...all.filter(([, t]) => !(t.data instanceof BigInt64Array))];
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : [];
  let offset = 0;
  for (const [name, { shape, data }] of ordered) {
    const count = product(shape);
    if (count !== data.length)
      throw new NinaError(
        `Cannot write ${file}: tensor "${name}" has shape [${shape}], ${count} numbers, but holds ${data.length}.`,
      );
    const dtype: StoredDType = data instanceof BigInt64Array ? 'I64' : 'F32';
    header.push([name, { dtype, shape, data_offsets: [offset, offset + data.byteLength] }]);
    offset += data.byteLength;
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(header)));
  const head = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, ' ');
  head.writeBigUInt64LE(BigInt(head.length - 8), 0);
  json.copy(head, 8);
  writeAtomically(file, (temporary) => {
    const fd = fs.openSync(temporary, 'w');
    try {
      writeFully(fd, head);
      for (const [, { data }] of ordered) writeFully(fd, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    } finally {
      fs.closeSync(fd);
    }
  });
}

function readFully(fd: number, file: string, into: Uint8Array, position: number): void {
  for (let done = 0; done < into.length; ) {
    const read = fs.readSync(fd, into, done, Math.min(PIECE_BYTES, into.length - done), position + done);
    if (read === 0) throw new NinaError(`${file} became shorter while it was being read. Copy the file again.`);
    done += read;
  }
}

function writeFully(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; )
    done += fs.writeSync(fd, bytes, done, Math.min(PIECE_BYTES, bytes.length - done));
}
