/** Opening HDF5 files, with errors as sentences: what is wrong with a file, and what to do. */
import * as fs from 'node:fs';
import { NinaError } from '../../errors.ts';
import { fileError, kindOf } from '../../files.ts';
import type { Hdf5Root, Library } from './library.ts';
import type { OpenFile } from './open-file.ts';
import { RawFile } from './raw.ts';

const SIGNATURE = Buffer.from([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]);

/**
 * Creates a file; the caller closes it. Its objects have headers of HDF5's first version, which every reader knows and
 * times.ts can write to: later ones have checksums.
 */
export function createHdf5(file: string, { h5wasm }: Library): Hdf5Root {
  return new h5wasm.File(file, 'w', { libver: ['earliest', 'latest'] });
}

/** Turns whatever HDF5 threw into a NinaError that names the file; NinaErrors pass unchanged. */
export function hdf5Error(what: string, cause: unknown): unknown {
  if (cause instanceof NinaError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  if (text.includes('No space left on device'))
    return fileError(what, Object.assign(new Error(text), { code: 'ENOSPC' }));
  return new NinaError(`${what}: ${reason(cause)}.`, { cause });
}

/** @throws NinaError unless `file` is there and a file: opening a FIFO would wait for ever. */
export function requireFile(file: string): void {
  let stat: fs.Stats;
  try {
    stat = fs.statSync(file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ELOOP')
      throw new NinaError(`${file} is a symbolic link that leads back to itself. Remove it.`, { cause });
    const link = fs.lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink();
    if (link)
      throw new NinaError(`${file} is a symbolic link to ${fs.readlinkSync(file)}, which is not there. Remove it.`, {
        cause,
      });
    throw new NinaError(`${file} does not exist.`, { cause });
  }
  if (stat.isFile()) return;
  throw new NinaError(`${file} is ${kindOf(file)}, not a file. Demonstrations are read from HDF5 files.`);
}

/**
 * Opens a file for reading; the caller closes both.
 * @throws NinaError for a file that is missing, no file, empty, truncated, damaged, or still open for writing.
 */
export function openFile(file: string, { h5wasm }: Library): Pick<OpenFile, 'root' | 'raw'> {
  requireFile(file);
  let root: Hdf5Root;
  try {
    fs.accessSync(file, fs.constants.R_OK);
    root = new h5wasm.File(file, 'r');
  } catch (cause) {
    throw openError(file, cause);
  }
  try {
    return { root, raw: new RawFile(file) };
  } catch (cause) {
    root.close();
    throw cause;
  }
}

/** Says why a file is no readable HDF5, from its first bytes and the library's own words. */
function openError(file: string, cause: unknown): unknown {
  if ((cause as NodeJS.ErrnoException)?.code) return fileError(`Could not read ${file}`, cause);
  const bytes = fs.statSync(file).size;
  if (bytes === 0) return new NinaError(`${file} is empty (0 bytes). Record or download it again.`);
  const head = Buffer.alloc(8);
  const fd = fs.openSync(file, 'r');
  fs.readSync(fd, head, 0, 8, 0);
  fs.closeSync(fd);
  if (!head.subarray(0, bytes).equals(SIGNATURE.subarray(0, Math.min(bytes, 8))))
    return new NinaError(`${file} is not an HDF5 file: its first bytes are ${head.toString('hex')}.`);
  const text = cause instanceof Error ? cause.message : '';
  if (/already open for/i.test(text))
    return new NinaError(
      `${file} is still open for writing in another program, or its writer was killed. Close the writer; if there is ` +
        `none any more, clear the mark that it left with 'h5clear -s ${file}' (HDF5's tools) and check the last episode.`,
      { cause },
    );
  const stored = /stored_eof = (\d+)/.exec(text)?.[1];
  const missing = stored ? `${bytes} of its ${stored} bytes are there` : `only ${bytes} bytes are there`;
  if (stored || bytes < 1024)
    return new NinaError(`${file} is truncated: ${missing}. Record or download it again.`, { cause });
  return new NinaError(
    `${file} is damaged: ${reason(cause)}. Record or download it again; if a program is still writing it, close that first.`,
    { cause },
  );
}

/** The innermost sentence of HDF5's multi-line error stack. */
function reason(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  const lines = text.match(/in \w+\(\): .*/g);
  return (
    lines
      ?.at(-1)
      ?.replace(/^in \w+\(\): /, '')
      .split(/[,:]/)[0]
      ?.trim() ?? text.split('\n')[0]
  );
}
