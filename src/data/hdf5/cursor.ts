/** A part of a file, read number by number. */
import { NinaError } from '../../errors.ts';

/** Reads little-endian numbers one after the other. */
export class Cursor {
  #at = 0;
  readonly #bytes: Uint8Array;
  readonly #file: string;

  /** @param file how messages call what is read */
  constructor(bytes: Uint8Array, file: string) {
    this.#bytes = bytes;
    this.#file = file;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.uint(1);
  }

  /** An unsigned number of `size` bytes; beyond 2^53 it is rounded (such addresses lie beyond any file). */
  uint(size: number): number {
    const bytes = this.bytes(size);
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + bytes[i];
    return value;
  }

  bytes(count: number): Uint8Array {
    if (count < 0 || count > this.left)
      throw new NinaError(
        `${this.#file} is damaged: a part of it is shorter than it says. Record or download it again.`,
      );
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  /** All that is left. */
  rest(): Uint8Array {
    return this.bytes(this.left);
  }

  text(count: number): string {
    return Buffer.from(this.bytes(count)).toString('latin1');
  }

  /** Text up to a zero byte. */
  cString(): string {
    const rest = this.#bytes.subarray(this.#at);
    const end = rest.indexOf(0);
    const bytes = this.bytes(end < 0 ? rest.length : end);
    if (end >= 0) this.#at++;
    return Buffer.from(bytes).toString('utf8');
  }

  skip(count: number): this {
    this.bytes(count);
    return this;
  }
}
