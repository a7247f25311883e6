/**
 * Files that are read again and again stay open, since opening one and finding out what is in it costs more than reading a
 * few rows. At most so many at once: the one that was not read for longest is closed for another.
 */
import { type Library, loadLibrary } from './library.ts';
import type { Place } from './links.ts';
import { hdf5Error, openFile } from './open.ts';
import type { OpenFile } from './open-file.ts';

export interface Hdf5Files extends Disposable {
  /**
   * Opens the file, unless it is open, and hands its root to `use`. What fails is closed.
   * @throws NinaError for a file that is missing, no file, empty, truncated, damaged, or still open for writing.
   */
  read<T>(file: string, use: (root: Place) => T): T;
  /** How many are open, without those that links lead into. */
  readonly open: number;
}

/** @param limit most files that are open at once, each with those that its links lead into */
export async function openHdf5Files(limit: number): Promise<Hdf5Files> {
  const library = await loadLibrary();
  /** The one that was read last stands last. */
  const opened = new Map<string, Opened>();
  const close = (file: string) => {
    const one = opened.get(file);
    opened.delete(file);
    one?.close();
  };
  return {
    read(file, use) {
      const one = opened.get(file) ?? openWithLinks(file, library);
      opened.delete(file);
      opened.set(file, one);
      if (opened.size > limit) close(opened.keys().next().value!);
      try {
        return use(one.root);
      } catch (cause) {
        close(file);
        throw hdf5Error(damaged(file), cause);
      }
    },
    get open() {
      return opened.size;
    },
    [Symbol.dispose]() {
      for (const file of [...opened.keys()]) close(file);
    },
  };
}

interface Opened {
  readonly root: Place;
  close(): void;
}

const damaged = (file: string) => `${file} is damaged and cannot be read`;

function openWithLinks(file: string, library: Library): Opened {
  const all = new Map<string, OpenFile>();
  const open = (name: string): OpenFile => {
    const known = all.get(name);
    if (known) return known;
    const fresh = { name, library, answers: new Map<string, unknown>(), open, ...openFile(name, library) };
    all.set(name, fresh);
    return fresh;
  };
  return {
    root: { file: open(file), path: '/', title: `${file}: ` },
    close() {
      // The library may stop (abort) also where it gives back what it made of a damaged file.
      try {
        for (const { root, raw } of all.values()) {
          raw[Symbol.dispose]();
          root.close();
        }
      } catch (cause) {
        throw hdf5Error(damaged(file), cause);
      }
    },
  };
}

/**
 * Opens a file for reading, hands its root to `use` and closes it.
 * @throws NinaError as `Hdf5Files.read`.
 */
export async function readHdf5<T>(file: string, use: (root: Place) => T): Promise<T> {
  using files = await openHdf5Files(1);
  return files.read(file, use);
}
