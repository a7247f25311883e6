/**
 * Finding things in an HDF5 file by their names, following its links one by one: to another place in the file (soft) or
 * to another file (external). The library follows them too, but does not tell a link without a target from other
 * failures, nor where a thing really lies - which must be known to see that one demonstration is listed twice.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { NinaError } from '../../errors.ts';
import type { OpenFile } from './open-file.ts';

/** A group or dataset. */
export interface Place {
  readonly file: OpenFile;
  /** Its path in `file`, free of links. */
  readonly path: string;
  /** How messages call it: 'FILE: /PATH' as it was asked for. */
  readonly title: string;
}

/** Links followed before a chain counts as a circle; HDF5's own limit is 16. */
const MAX_LINKS = 32;

/**
 * What lies at `name` ('a' or 'a/b') below `group`; undefined where nothing has that name.
 * @throws NinaError for a link that leads nowhere.
 */
export function find(group: Place, name: string): Place | undefined {
  const title = `${group.title}/${name}`;
  const found = walk(group.file, group.path, name, title, 0);
  return found && { ...found, title };
}

/** Names in a group, sorted as the file has them. */
export function namesIn({ file, path: at }: Pick<Place, 'file' | 'path'>): readonly string[] {
  return once(file, 'names', at, () => file.library.module.get_names(file.root.file_id, at, false));
}

export function kindOf({ file, path: at }: Pick<Place, 'file' | 'path'>): 'group' | 'dataset' | 'other' {
  const { module } = file.library;
  const type = once(file, 'type', at, () => module.get_type(file.root.file_id, at));
  return type === module.H5G_GROUP ? 'group' : type === module.H5G_DATASET ? 'dataset' : 'other';
}

/** So that a file that stays open does not keep all that was ever asked of it. */
const MAX_ANSWERS = 1_000;

/** Asks the library once: a file of many demonstrations has many paths with the same beginning. */
export function once<T>({ answers }: OpenFile, question: string, at: string, ask: () => T): T {
  const name = `${question} ${at}`;
  if (answers.has(name)) return answers.get(name) as T;
  const answer = ask();
  if (answers.size >= MAX_ANSWERS) answers.clear();
  answers.set(name, answer);
  return answer;
}

/** Address of its object header: two places with the same file and address are one thing. */
export function addressOf({ file, path: at }: { file: Pick<OpenFile, 'root' | 'library'>; path: string }): number {
  // An object reference is that address, little-endian.
  const reference = file.library.module.create_object_reference(file.root.file_id, at);
  return Array.from(reference).reduce((sum, byte, i) => sum + byte * 256 ** i, 0);
}

/** Every dataset below a group as 'a' or 'group/a', sorted; links and groups met again are not entered. */
export function datasetNames(group: Place, seen: Set<number> = new Set([addressOf(group)])): string[] {
  return namesIn(group)
    .flatMap((name) => {
      const at = { file: group.file, path: join(group.path, name) };
      if (linkOf(at.file, at.path)) return [name];
      if (kindOf(at) !== 'group') return [name];
      const address = addressOf(at);
      if (seen.has(address)) return [];
      seen.add(address);
      return datasetNames({ ...group, ...at }, seen).map((inner) => `${name}/${inner}`);
    })
    .sort();
}

/** The file that `name`, written inside `file`, stands for: HDF5 looks beside `file`, then in the working folder. */
export function linkedFile(file: string, name: string): string | undefined {
  const beside = path.dirname(file);
  const candidates = path.isAbsolute(name)
    ? [name, path.join(beside, path.basename(name))]
    : [path.join(beside, name), name];
  return candidates.find((candidate) => fs.existsSync(candidate));
}

const join = (group: string, name: string) => (group === '/' ? `/${name}` : `${group}/${name}`);

/** @param links followed so far */
function walk(
  file: OpenFile,
  from: string,
  name: string,
  title: string,
  links: number,
): Pick<Place, 'file' | 'path'> | undefined {
  let at = from;
  const names = name.split('/').filter((part) => part !== '' && part !== '.');
  for (const [i, part] of names.entries()) {
    if (kindOf({ file, path: at }) !== 'group' || !namesIn({ file, path: at }).includes(part)) return undefined;
    const here = join(at, part);
    const link = once(file, 'link', here, () => linkOf(file, here));
    if (!link) {
      at = here;
      continue;
    }
    if (links === MAX_LINKS) throw new NinaError(`${title} is a link that leads back to itself. Remove it.`);
    const rest = names.slice(i + 1);
    const source = link.file === undefined ? file.name : linkedFile(file.name, link.file);
    const next = source === undefined || source === file.name ? file : file.open(source);
    const start = next !== file || link.target.startsWith('/') ? '/' : at;
    const target = source === undefined ? undefined : walk(next, start, link.target, title, links + 1);
    if (target) return walk(target.file, target.path, rest.join('/'), title, links + 1);
    const where = link.file === undefined ? `'${link.target}'` : `'${link.target}' in ${link.file}`;
    throw new NinaError(
      `${title} ${rest.length === 0 ? 'is' : 'lies behind'} a link to ${where}, which is not there. Restore its target, or remove the link.`,
    );
  }
  return { file, path: at };
}

/** The link at `here`, undefined where the thing itself is there. */
function linkOf({ library: { module }, root }: OpenFile, here: string): { file?: string; target: string } | undefined {
  const soft: string | null = module.get_symbolic_link(root.file_id, here);
  if (soft !== null) return { target: soft };
  const external: Partial<{ filename: string; obj_path: string }> = module.get_external_link(root.file_id, here);
  if (external.filename === undefined) return undefined;
  return { file: external.filename, target: external.obj_path ?? '/' };
}
