/**
 * A folder whose manifest.json holds the sha256 of its other files: it appears whole or not at all, and a file that is not
 * the one it was written with is told, never used.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { NinaError } from '../errors.ts';
import { hashFile } from '../file-hash.ts';
import { draftOf, fileError, makeFolder, requireFile } from '../files.ts';
import { parseJson, toJson } from '../json.ts';
import { readText } from '../json-files.ts';

export const MANIFEST = 'manifest.json';

/** sha256 by the name of the file. */
export type Hashes = Readonly<Record<string, string>>;

/**
 * Writes a folder beside `directory` and renames it into place; an existing one is replaced only by a whole one.
 * @param what how messages call it: 'the checkpoint'
 * @param fill writes every file but the manifest into the folder it is given
 * @throws NinaError when the disk is full or the folder is not writable; nothing half-written stays.
 */
export function writeSealed(
  directory: string,
  what: string,
  fill: (folder: string) => void,
  manifest: (files: Hashes) => unknown,
): void {
  const draft = draftOf(directory);
  try {
    fs.rmSync(draft, { recursive: true, force: true });
    makeFolder(draft);
    fill(draft);
    const hashes = fs.readdirSync(draft).map((name): [string, string] => [name, hashFile(path.join(draft, name))]);
    writeJson(draft, MANIFEST, manifest(Object.fromEntries(hashes)));
    replaceDirectory(draft, directory);
  } catch (cause) {
    fs.rmSync(draft, { recursive: true, force: true });
    throw fileError(`Could not write ${what} ${directory}`, cause);
  }
}

export const writeJson = (folder: string, name: string, value: unknown): void =>
  writeText(folder, name, `${toJson(value, 2)}\n`);

export const writeText = (folder: string, name: string, text: string): void =>
  fs.writeFileSync(path.join(folder, name), text, { flush: true });

/**
 * Puts the finished draft in the place of `directory`. What was there is moved aside whole: a kill while its files are
 * being removed would leave a folder that is there in part. (Names of drafts: the next run's sweep takes them.)
 */
function replaceDirectory(draft: string, directory: string): void {
  const aside = draftOf(`${directory}.old`);
  if (fs.existsSync(directory)) fs.renameSync(directory, aside);
  fs.renameSync(draft, directory);
  fs.rmSync(aside, { recursive: true, force: true });
}

/** A JSON file of the folder. @throws NinaError when it is none. */
export function readJson(directory: string, name: string): unknown {
  const file = path.join(directory, name);
  requireFile(file);
  return parseJson(readText(file), file);
}

/**
 * @param what how messages call it: 'the checkpoint'
 * @throws NinaError for a file that is missing or is not the one that the manifest says.
 */
export function verify(directory: string, what: string, files: Hashes): void {
  const names = Object.keys(files);
  const missing = names.find((name) => !fs.existsSync(path.join(directory, name)));
  if (missing) throw new NinaError(`${directory} has no ${missing}: ${what} is incomplete.`);
  for (const name of names) {
    const file = path.join(directory, name);
    const found = hashFile(file);
    if (found !== files[name])
      throw new NinaError(
        `${file} is not the file ${what} was saved with: its sha256 is ${found}, ${MANIFEST} says ` +
          `${files[name]}. Copy ${what} again.`,
      );
  }
}
