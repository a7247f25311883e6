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
  const temporary = draftOf(target);
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

/** Where this process prepares `target` (a file or a folder) before it is renamed into place. */
export function draftOf(target: string): string {
  return path.join(path.dirname(target), `.${path.basename(target)}.${process.pid}.tmp`);
}

const DRAFT = /^\..+\.\d+\.tmp$/;

/**
 * Removes the drafts that killed processes left in `folders` (those below are not searched; absent ones are passed
 * over). The caller is their one writer, which holds their lock: a draft of another process is then nobody's.
 * @throws NinaError when a draft may not be removed.
 */
export function sweepDrafts(...folders: readonly string[]): void {
  for (const folder of folders.filter((name) => fs.existsSync(name)))
    for (const name of fs.readdirSync(folder).filter((entry) => DRAFT.test(entry))) {
      const draft = path.join(folder, name);
      try {
        fs.rmSync(draft, { recursive: true, force: true });
      } catch (cause) {
        throw fileError(`Could not remove the unfinished ${draft}`, cause);
      }
    }
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
