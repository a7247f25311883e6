/** SHA-256 of files, however large. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { requireFile } from './files.ts';

/** @returns 64 hexadecimal digits */
export function hashFile(file: string): string {
  requireFile(file);
  const hash = createHash('sha256');
  const fd = fs.openSync(file, 'r');
  try {
    const piece = Buffer.alloc(2 ** 22);
    for (let read = fs.readSync(fd, piece); read > 0; read = fs.readSync(fd, piece))
      hash.update(piece.subarray(0, read));
  } finally {
    fs.closeSync(fd);
  }
  return hash.digest('hex');
}
