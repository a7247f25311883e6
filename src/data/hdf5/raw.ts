/**
 * The bytes of an HDF5 file, for what the library's WebAssembly build does not tell: whether a dataset's numbers were
 * ever written, which floating-point format they have, when it was modified. HDF5 hands back fill values for numbers
 * that are not there, so a reader that only asks the library takes them for data.
 *
 * Here: where addresses start, and the messages of an object header (versions 1 and 2), after the HDF5 File Format
 * Specification, sections II.A and IV.A.
 */
import * as fs from 'node:fs';
import { NinaError } from '../../errors.ts';
import { Cursor } from './cursor.ts';

const SIGNATURE = Buffer.from([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Types of header messages, section IV.A.2. */
export const MESSAGE = {
  datatype: 0x03,
  externalFiles: 0x07,
  layout: 0x08,
  continuation: 0x10,
  modificationTime: 0x12,
} as const;

/** One message of an object header: its body, and where in the file it lies. */
export interface Message {
  type: number;
  /** The body says where the message is instead of holding it. */
  shared: boolean;
  body(): Cursor;
  /** Byte offset of the body in the file. */
  offset: number;
}

/** More header blocks than any object has: a file that asks for them is damaged. */
const MAX_BLOCKS = 10_000;

/** A file's bytes by the addresses that HDF5 uses in it. */
export class RawFile implements Disposable {
  readonly #fd: number;
  #closed = false;
  readonly #name: string;
  readonly #size: number;
  /** Address 0 as a byte offset: a file may begin with a block of other content. */
  readonly base: number;
  /** Bytes of an address. */
  readonly sizeOfAddress: number;
  /** Bytes of a length. */
  readonly sizeOfLength: number;

  /** @param mode of fs.openSync: 'r' or 'r+' */
  constructor(name: string, mode: 'r' | 'r+' = 'r') {
    this.#name = name;
    this.#fd = fs.openSync(name, mode);
    try {
      this.#size = fs.fstatSync(this.#fd).size;
      const start = this.#superblock();
      const version = this.#bytes(start + 8, 1).u8();
      const sizes = this.#bytes(start + (version < 2 ? 13 : 9), 2);
      this.sizeOfAddress = sizes.u8();
      this.sizeOfLength = sizes.u8();
      const fixed = version === 0 ? 24 : version === 1 ? 28 : 12;
      this.base = this.#bytes(start + fixed, this.sizeOfAddress).uint(this.sizeOfAddress);
    } catch (cause) {
      fs.closeSync(this.#fd);
      throw cause;
    }
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    fs.closeSync(this.#fd);
  }

  /** The first address beyond the file. */
  get end(): number {
    return this.#size - this.base;
  }

  /** `count` bytes from `address`. @throws NinaError beyond the end of the file. */
  read(address: number, count: number): Cursor {
    return this.#bytes(this.base + address, count);
  }

  /** Overwrites bytes at a byte offset (of a file opened with 'r+'). */
  write(offset: number, bytes: Uint8Array): void {
    fs.writeSync(this.#fd, bytes, 0, bytes.length, offset);
  }

  /** The messages of the object header at `address`, continuation blocks included. */
  messages(address: number): Message[] {
    const start = this.read(address, 16);
    const second = start.text(4) === 'OHDR';
    const messages: Message[] = [];
    const blocks: [address: number, size: number][] = [];
    let tracked = false;
    if (second) {
      const flags = this.read(address + 5, 1).u8();
      tracked = (flags & 4) !== 0;
      let at = address + 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
      const width = 1 << (flags & 3);
      const size = this.read(at, width).uint(width);
      at += width;
      blocks.push([at, size]);
    } else blocks.push([address + 16, this.read(address + 8, 4).uint(4)]);
    for (let b = 0; b < blocks.length; b++) {
      if (b > MAX_BLOCKS) throw this.damaged('an object header does not end');
      const [from, size] = blocks[b];
      const header = second ? (tracked ? 6 : 4) : 8;
      for (let at = 0; at + header <= size; ) {
        const head = this.read(from + at, header);
        const type = second ? head.u8() : head.uint(2);
        const length = head.uint(2);
        const flags = head.u8();
        at += header;
        if (at + length > size) throw this.damaged('an object header is longer than its block');
        const bytes = this.read(from + at, length).bytes(length);
        const body = () => new Cursor(bytes, this.#name);
        if (type === MESSAGE.continuation) {
          const next = body();
          const start = next.uint(this.sizeOfAddress);
          const count = next.uint(this.sizeOfLength);
          // The second version frames each block by a signature (4 bytes) and a checksum (4 bytes).
          blocks.push(second ? [start + 4, count - 8] : [start, count]);
        } else messages.push({ type, shared: (flags & 2) !== 0, body, offset: this.base + from + at });
        at += length;
      }
    }
    return messages;
  }

  /** An address, undefined where the file says that there is none (all bits set). */
  address(cursor: Cursor): number | undefined {
    const bytes = cursor.bytes(this.sizeOfAddress);
    return bytes.every((byte) => byte === 0xff) ? undefined : new Cursor(bytes, this.#name).uint(this.sizeOfAddress);
  }

  damaged(what: string): NinaError {
    return new NinaError(`${this.#name} is damaged: ${what}. Record or download it again.`);
  }

  /** The superblock lies at 0 or behind a block of 512, 1024, 2048, ... bytes. */
  #superblock(): number {
    for (let at = 0; at + 8 <= this.#size; at = at === 0 ? 512 : at * 2)
      if (SIGNATURE.equals(this.#bytes(at, 8).bytes(8))) return at;
    throw this.damaged('it has no superblock');
  }

  #bytes(offset: number, count: number): Cursor {
    if (!(offset + count <= this.#size)) throw this.damaged(`it ends before byte ${offset + count}`);
    const bytes = new Uint8Array(count);
    for (let done = 0; done < count; ) {
      const got = fs.readSync(this.#fd, bytes, done, count - done, offset + done);
      if (got === 0) throw this.damaged(`it ends before byte ${offset + count}`);
      done += got;
    }
    return new Cursor(bytes, this.#name);
  }
}
