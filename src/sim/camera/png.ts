/** PNG (ISO/IEC 15948): what the files of animations are made of. */
import { crc32, deflateSync } from 'node:zlib';

export const PNG_SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** Length, four-letter type, data, checksum of type and data. */
export function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const out = Buffer.alloc(data.length + 12);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, 'latin1');
  out.set(data, 8);
  out.writeUInt32BE(crc32(out.subarray(4, -4)), out.length - 4);
  return out;
}

/** The header chunk of an image of 8 bits a channel: red, green, blue, opacity. */
export function pngHeader(width: number, height: number): Uint8Array {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data[8] = 8;
  data[9] = 6;
  return pngChunk('IHDR', data);
}

/** Compresses rows of `rowBytes` bytes, each unfiltered. */
export function deflateRows(rows: Uint8Array, rowBytes: number): Uint8Array {
  const height = rows.length / rowBytes;
  const filtered = new Uint8Array(height * (rowBytes + 1));
  for (let row = 0; row < height; row++)
    filtered.set(rows.subarray(row * rowBytes, (row + 1) * rowBytes), row * (rowBytes + 1) + 1);
  return deflateSync(filtered, { level: 9 });
}
