/**
 * HDF5 stores when a dataset was modified, so two equal recordings would differ in their bytes. The library build has no
 * switch for it: the times are set to zero once the file is closed.
 */
import { MESSAGE, RawFile } from './raw.ts';

/** @param headers addresses of the datasets' object headers (version 1, which has no checksums) */
export function clearTimes(file: string, headers: readonly number[]): void {
  using raw = new RawFile(file, 'r+');
  for (const address of headers)
    for (const { type, body, offset } of raw.messages(address)) {
      if (type !== MESSAGE.modificationTime) continue;
      // One byte of version and three reserved stand before the seconds.
      if (body().left < 8) throw raw.damaged('a modification time is too short');
      raw.write(offset + 4, new Uint8Array(4));
    }
}
