/** Safetensors files changed where they are read from: the length, the JSON header, the numbers. */
import { anyBytes, type Mutate, within } from './bytes.ts';
import { anyJson } from './json.ts';

/** @param headers how often of ten the header is what changes */
export const anySafetensors =
  (headers: number): Mutate =>
  (bytes, r) => {
    if (bytes.length < 16) return anyBytes(bytes, r);
    const length = Number(bytes.readBigUInt64LE(0));
    if (8 + length > bytes.length) return anyBytes(bytes, r);
    const action = r.int(10);
    if (action < headers) {
      const header = anyJson(bytes.subarray(8, 8 + length), r);
      const prefix = Buffer.alloc(8);
      prefix.writeBigUInt64LE(BigInt(header.length));
      return Buffer.concat([prefix, header, bytes.subarray(8 + length)]);
    }
    if (action === headers) return within(0, 8)(bytes, r);
    if (action === headers + 1) return anyBytes(bytes, r);
    return within(8 + length, bytes.length)(bytes, r);
  };
