/**
 * Files that are whole or absent: everything is written to a temporary name beside the target, synced, then renamed.
 * A crash, a full disk or a kill leaves the previous content in place.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { NinaError } from './errors.ts';

/** A file that could not be read or written, for a reason outside the program. */
export class FileError extends NinaError {
  /** What failed and why, without what to do next. */
  readonly told: string;
  /** A cause that the user removes; the work can then go on: what must be done, 'Free some space'. */
  readonly remedy: string | undefined;

  constructor(told: string, remedy: string | undefined, cause: unknown) {
    super(remedy === undefined ? told : `${told} ${remedy} and run the same command again.`, { cause });
    this.told = told;
    this.remedy = remedy;
  }
}

/**
 * Lets `write` fill a temporary sibling of `target`, then renames it into place. A link is followed: what it points to
 * is written, and it stays.
 * @throws NinaError naming the target and the cause (ENOSPC is told as a full disk); the old content is untouched.
 * Folders, devices, FIFOs and sockets are refused: a rename would put a regular file in their place.
 */
export function writeAtomically(target: string, write: (temporary: string) => void): void {
  const what = `Could not write ${target}`;
  let temporary: string | undefined;
  try {
    const file = realPath(target);
    const found = kindOf(file);
    if (found !== undefined && found !== FILE)
      throw new NinaError(`${what}: it is ${found}, and a file is wanted there. Give the name of a file.`);
    temporary = draftOf(file);
    makeFolder(path.dirname(file));
    write(temporary);
    const fd = fs.openSync(temporary, 'r+');
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, file);
  } catch (cause) {
    if (temporary !== undefined) fs.rmSync(temporary, { force: true });
    throw fileError(what, cause);
  }
}

const FILE = 'a file';

/** What is there, links followed; undefined when nothing is. */
export function kindOf(name: string): string | undefined {
  const stat = fs.statSync(name, { throwIfNoEntry: false });
  if (!stat) return undefined;
  if (stat.isFile()) return FILE;
  if (stat.isDirectory()) return 'a folder';
  if (stat.isFIFO()) return 'a FIFO';
  if (stat.isSocket()) return 'a socket';
  return 'a device';
}

/**
 * A path without links, also of what is not there yet. A '..' counts from where a link leads, as the system counts it.
 * @throws the system's error for links that lead in a circle.
 */
export function realPath(name: string): string {
  if (fs.statSync(name, { throwIfNoEntry: false })) return fs.realpathSync.native(name);
  const folder = path.dirname(name);
  if (folder === name) return path.resolve(name);
  const found = realPath(folder);
  const link = fs.lstatSync(name, { throwIfNoEntry: false })?.isSymbolicLink();
  return link ? realPath(path.resolve(found, fs.readlinkSync(name))) : path.resolve(found, path.basename(name));
}

/**
 * Makes a folder with those above it.
 * @returns the first that was made; undefined when all were there
 */
export function makeFolder(folder: string): string | undefined {
  try {
    return fs.mkdirSync(folder, { recursive: true });
  } catch (cause) {
    // With `recursive`, Node tells a read-only file system as a folder that does not exist.
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    let missing = path.resolve(folder);
    while (!fs.existsSync(path.dirname(missing))) missing = path.dirname(missing);
    fs.mkdirSync(missing);
    return fs.mkdirSync(folder, { recursive: true }) ?? missing;
  }
}

/**
 * To be asked before a file of a run or a checkpoint is opened: opening a FIFO waits for ever.
 * @throws NinaError when something is there that is no file.
 */
export function requireFile(file: string): void {
  const found = kindOf(file);
  if (found !== undefined && found !== FILE)
    throw new NinaError(`Could not read ${file}: it is ${found}, and a file is wanted.`);
}

/** Writes text or bytes whole or not at all. */
export function writeFileAtomically(target: string, content: string | Uint8Array): void {
  writeAtomically(target, (temporary) => fs.writeFileSync(temporary, content));
}

/** Where this process prepares `target` (a file or a folder) before it is renamed into place. */
export function draftOf(target: string): string {
  // A name as long as the file system allows must not make its draft too long.
  return path.join(path.dirname(target), `.${path.basename(target).slice(0, 60)}.${process.pid}.tmp`);
}

/** Removes a folder at once: a kill half-way leaves a draft of it, which `sweepDrafts` removes, and never a part. */
export function removeFolder(folder: string): void {
  if (!fs.existsSync(folder)) return;
  const aside = draftOf(`${folder}.old`);
  try {
    fs.renameSync(folder, aside);
    fs.rmSync(aside, { recursive: true, force: true });
  } catch (cause) {
    throw fileError(`Could not remove ${folder}`, cause);
  }
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

const WRITE_ELSEWHERE = 'Choose a folder you can write to';

/** Why the system refused, by its code; and what removes the cause, where work can go on after that. */
const REASONS: Readonly<Record<string, readonly [reason: string, remedy?: string]>> = {
  ENOSPC: ['the disk is full.', 'Free some space'],
  EDQUOT: ["it is more than you may write (disk quota or file size limit, see 'ulimit -f').", 'Raise the limit'],
  EFBIG: ["it is more than you may write (disk quota or file size limit, see 'ulimit -f').", 'Raise the limit'],
  EACCES: [`permission denied. ${WRITE_ELSEWHERE}.`],
  EPERM: [`permission denied. ${WRITE_ELSEWHERE}.`],
  EROFS: [`permission denied: the file system is read-only. ${WRITE_ELSEWHERE}.`],
  EIO: ['the disk reports an error.', 'Check it'],
  EMFILE: ["too many files are open (see 'ulimit -n').", 'Raise the limit'],
  ENFILE: ['too many files are open on this machine.', 'Close some'],
  ENOENT: ['no such file or folder.'],
  EISDIR: ['it is a folder, and a file is wanted.'],
  ENOTDIR: ['a part of the path is a file, and a folder is wanted there.'],
  EEXIST: ['a file of that name is in the way.'],
  ENOTEMPTY: ['a folder of that name is there and is not empty.'],
  ENAMETOOLONG: ['the name is too long.'],
  ELOOP: ['its symbolic links lead in a circle.'],
  EBUSY: ['another program holds it.'],
  ETXTBSY: ['another program holds it.'],
  ENXIO: ['it is a device or socket that nothing answers.'],
  EXDEV: ['it lies on another file system.'],
};

/** Wraps a system error in a sentence, with the system's own words where there is none better; other errors pass unchanged. */
export function fileError(what: string, cause: unknown): unknown {
  if (cause instanceof NinaError || !(cause instanceof Error)) return cause;
  const { code, syscall, message } = cause as NodeJS.ErrnoException;
  const known = code === undefined ? undefined : REASONS[code];
  if (known) return new FileError(`${what}: ${known[0]}`, known[1], cause);
  return syscall === undefined ? cause : new FileError(`${what}: ${message}.`, undefined, cause);
}

/** One write of a system takes less than 2 GiB. */
const MOST_BYTES = 1 << 30;

/**
 * Writes all of the bytes; the system may take fewer at once.
 * @param position in the file; where the last write ended unless given
 */
export function writeFully(fd: number, bytes: Uint8Array, position?: number): void {
  for (let done = 0; done < bytes.length; ) {
    const at = position === undefined ? null : position + done;
    done += fs.writeSync(fd, bytes, done, Math.min(MOST_BYTES, bytes.length - done), at);
  }
}
