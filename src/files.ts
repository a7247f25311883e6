/**
 * Files that are whole or absent: everything is written to a temporary name beside the target, synced, then renamed.
 * A crash, a full disk or a kill leaves the previous content in place.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { NinaError } from './errors.ts';

/**
 * Lets `write` fill a temporary sibling of `target`, then renames it into place.
 * @throws NinaError naming the target and the cause (ENOSPC is told as a full disk); the old content is untouched.
 */
export function writeAtomically(target: string, write: (temporary: string) => void): void {
  const temporary = path.join(path.dirname(target), `.${path.basename(target)}.${process.pid}.tmp`);
  try {
    fs.mkdirSync(path.dirname(target), { recursive: true });
    write(temporary);
    const fd = fs.openSync(temporary, 'r+');
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, target);
  } catch (cause) {
    fs.rmSync(temporary, { force: true });
    throw fileError(`Could not write ${target}`, cause);
  }
}

/** Writes text or bytes whole or not at all. */
export function writeFileAtomically(target: string, content: string | Uint8Array): void {
  writeAtomically(target, (temporary) => fs.writeFileSync(temporary, content));
}

/** Wraps a system error in a sentence; other errors pass unchanged. */
export function fileError(what: string, cause: unknown): unknown {
  const code = (cause as NodeJS.ErrnoException)?.code;
  if (code === 'ENOSPC')
    return new NinaError(`${what}: the disk is full. Free some space and run the same command again.`, { cause });
  if (code === 'EDQUOT' || code === 'EFBIG')
    return new NinaError(`${what}: it is more than you may write (disk quota or file size limit, see 'ulimit -f').`, {
      cause,
    });
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new NinaError(`${what}: permission denied. Choose a folder you can write to.`, { cause });
  if (code === 'ENOENT') return new NinaError(`${what}: no such file or folder.`, { cause });
  return cause;
}
