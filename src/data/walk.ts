/**
 * The demonstration files that paths stand for. A folder stands for the .hdf5 files in it and its subfolders, symbolic
 * links included, each real file once: a file met twice would put held-out episodes into the training part.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { NinaError } from '../errors.ts';
import { fileError } from '../files.ts';
import { requireFile } from './hdf5/open.ts';

/**
 * Sorted within each folder; a file that several paths lead to is named by the first.
 * @throws NinaError when a source is missing or holds no .hdf5 file, for links that lead nowhere and for what is named
 * .hdf5 but is no file.
 */
export function demonstrationFiles(sources: string | readonly string[]): string[] {
  const met = new Set<string>();
  return [sources].flat().flatMap((source) => {
    const stat = statOf(source);
    if (!stat && !fs.lstatSync(source, { throwIfNoEntry: false }))
      throw new NinaError(
        `${source} does not exist: wanted demonstrations, a folder of .hdf5 files or one. 'nina demos' records them.`,
      );
    const found = stat?.isDirectory() ? filesIn(source) : [source];
    if (found.length === 0)
      throw new NinaError(`${source} holds no .hdf5 files: wanted demonstrations. 'nina demos' records them.`);
    return found.filter((file) => {
      requireFile(file);
      const id = identity(file);
      if (met.has(id)) return false;
      met.add(id);
      return true;
    });
  });
}

/** One for all names of a file or folder: symbolic links and hard links alike. */
function identity(name: string): string {
  const { dev, ino } = fs.statSync(name, { bigint: true });
  // Some file systems number nothing.
  return ino === 0n ? fs.realpathSync(name) : `${dev}:${ino}`;
}

function filesIn(root: string): string[] {
  const entered = new Set<string>();
  const found: { name: string; linked: boolean }[] = [];
  const enter = (folder: string, linked: boolean): string[] => {
    const id = identity(path.join(root, folder));
    if (entered.has(id)) return [];
    entered.add(id);
    const links: string[] = [];
    for (const name of list(path.join(root, folder))) {
      // Hidden files are other programs' notes: macOS leaves ._NAME.hdf5 beside NAME.hdf5.
      if (name.startsWith('.')) continue;
      const entry = path.join(folder, name);
      const stat = fs.lstatSync(path.join(root, entry), { throwIfNoEntry: false });
      if (stat?.isSymbolicLink()) links.push(entry);
      else if (stat?.isDirectory()) links.push(...enter(entry, linked));
      else if (name.endsWith('.hdf5')) found.push({ name: entry, linked });
    }
    return links;
  };
  // Links last, so that a file is named by its own place wherever it has one here.
  for (let links = enter('', false); links.length > 0; )
    links = links.flatMap((entry) => {
      const target = path.join(root, entry);
      const stat = statOf(target);
      if (stat?.isDirectory()) return enter(entry, true);
      // A link that may have been a folder of demonstrations is not passed over either.
      if (entry.endsWith('.hdf5') || (!stat && path.extname(entry) === '')) found.push({ name: entry, linked: true });
      return [];
    });
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  const own = new Set(found.filter(({ linked }) => !linked).map(({ name }) => identity(path.join(root, name))));
  return found
    .sort(byName)
    .map(({ name, linked }) => ({ file: path.join(root, name), linked }))
    .filter(({ file, linked }) => !linked || !statOf(file) || !own.has(identity(file)))
    .map(({ file }) => file);
}

/** What a path leads to, undefined where it leads nowhere. */
function statOf(name: string): fs.Stats | undefined {
  try {
    return fs.statSync(name, { throwIfNoEntry: false });
  } catch (cause) {
    // A link to itself.
    if ((cause as NodeJS.ErrnoException).code === 'ELOOP') return undefined;
    throw fileError(`Could not read ${name}`, cause);
  }
}

function list(folder: string): string[] {
  try {
    return fs.readdirSync(folder).sort();
  } catch (cause) {
    throw fileError(`Could not read the folder ${folder}`, cause);
  }
}
