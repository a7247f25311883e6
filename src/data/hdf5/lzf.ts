/** LZF, the compression that comes with h5py (filter 32000, after Marc Lehmann's LibLZF): literal runs and references. */
import type { RawFile } from './raw.ts';

/**
 * @param size bytes of the result
 * @throws NinaError where the input is no LZF of that size.
 */
export function lzf(input: Uint8Array, size: number, raw: Pick<RawFile, 'damaged'>): Uint8Array {
  const out = new Uint8Array(size);
  let [from, to] = [0, 0];
  const next = (): number => {
    const byte = input[from++];
    if (byte === undefined) throw raw.damaged('a chunk compressed with lzf is cut short');
    return byte;
  };
  while (from < input.length) {
    const control = next();
    const literal = control < 32;
    let length = literal ? control + 1 : control >> 5;
    if (length === 7 && !literal) length += next();
    if (!literal) length += 2;
    if (to + length > size) throw raw.damaged('a chunk compressed with lzf is longer than its dataset says');
    if (literal) for (let i = 0; i < length; i++) out[to++] = next();
    else {
      const back = to - ((control & 31) << 8) - next() - 1;
      if (back < 0) throw raw.damaged('a chunk compressed with lzf refers to what lies before it');
      // Byte by byte: a reference may overlap what it writes.
      for (let i = 0; i < length; i++) out[to++] = out[back + i];
    }
  }
  return to === size ? out : out.subarray(0, to);
}
