/**
 * Settings from people, before they are checked. Each is named by its path ('seed', 'decoder.n_layers') and remembers
 * where it was written, so a mistake is reported with its place, what is allowed there and what was found, all mistakes
 * at once.
 */
import * as z from 'zod';
import { UsageError } from '../errors.ts';
import { plainly, shorten } from '../json.ts';

export interface Setting {
  readonly value: unknown;
  /** 'recipes/a.yaml:3', '--n_layers', '--set decoder.n_layers' */
  readonly where: string;
}

/** By path, in the order in which they were given: of two with one path, the later counts. */
export type Settings = ReadonlyMap<string, Setting>;

/** 'decoder.n_layers' -> decoder, n_layers; 'seed' -> '', seed. */
export function split(path: string): readonly [section: string, name: string] {
  const dot = path.indexOf('.');
  return dot < 0 ? ['', path] : [path.slice(0, dot), path.slice(dot + 1)];
}

export const join = (section: string, name: string) => (section === '' ? name : `${section}.${name}`);

/** Whether a value is a mapping, which a file may write as a section. */
const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The settings of a mapping and of its sections. @param where how messages call the place they come from */
export function settingsIn(mapping: Readonly<Record<string, unknown>>, where: string): Settings {
  return new Map(
    Object.entries(mapping).flatMap(([name, value]): [string, Setting][] =>
      isMapping(value)
        ? Object.entries(value).map(([key, value]) => [join(name, key), { value, where }])
        : [[name, { value, where }]],
    ),
  );
}

/** The mapping that the settings describe. A section without content is empty, one that is a text stays what it is. */
function nested(schema: z.ZodObject, settings: Settings): Record<string, unknown> {
  const parts = new Map<string, unknown>();
  for (const [path, { value }] of settings)
    if (split(path)[0] === '' && !(value === null && sectionOf(schema.shape[path]))) parts.set(path, value);
  for (const [path, { value }] of settings) {
    const [section, name] = split(path);
    const begun = parts.get(section) ?? {};
    // Made anew: an assignment to '__proto__' would not define that key.
    if (section !== '' && isMapping(begun))
      parts.set(section, Object.fromEntries([...Object.entries(begun), [name, value]]));
  }
  return Object.fromEntries(parts);
}

/** The settings of a schema and of its sections, by path. */
export function settingsOfSchema(schema: z.ZodObject): Map<string, z.ZodType> {
  return new Map(
    Object.entries(schema.shape).flatMap(([name, part]): [string, z.ZodType][] => {
      const section = sectionOf(part as z.ZodType);
      return section === undefined
        ? [[name, part as z.ZodType]]
        : [...settingsOfSchema(section)].map(([key, setting]) => [join(name, key), setting]);
    }),
  );
}

/** The schema of a section; undefined when this is a setting. */
export function sectionOf(schema: z.ZodType | undefined): z.ZodObject | undefined {
  if (schema instanceof z.ZodObject) return schema;
  return schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault
    ? sectionOf(schema.unwrap() as z.ZodType)
    : undefined;
}

/**
 * The settings checked and completed by the schema's defaults.
 * @param homes paths of settings, of other schemas too, by the name at their end: where a misplaced one belongs
 * @throws UsageError with one line per mistake.
 */
export function check<S extends z.ZodObject>(
  schema: S,
  settings: Settings,
  homes: ReadonlyMap<string, string> = new Map(),
): z.output<S> {
  const result = schema.safeParse(nested(schema, settings));
  if (result.success) return result.data;
  const mistakes = result.error.issues.flatMap((issue) => {
    const path = issue.path.map(String).slice(0, 2).join('.');
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => `${placeOf(settings, join(path, key))}: ${unknown(schema, path, key, homes)}`);
    const where = placeOf(settings, path);
    const given = settings.get(path);
    const section = issue.code === 'invalid_type' ? sectionOf(schema.shape[path]) : undefined;
    if (section) {
      const value = given?.value;
      const content = 'name' in section.shape && typeof value === 'string' ? `name: ${shorten(value)}` : 'KEY: VALUE';
      return [`${where}: ${path} is a section, a mapping; got ${shown(value)}. Write '${path}: { ${content} }'.`];
    }
    const got = given && issue.code !== 'custom' ? `; got ${shown(given.value)}` : '';
    const list = issue.code === 'invalid_type' && given && ['array', 'tuple'].includes(issue.expected);
    return [`${where}: ${path}: ${plainly(issue.message)}${got}${list ? '; a list is written [a, b]' : ''}`];
  });
  throw new UsageError(mistakes.join('\n'));
}

/** Where a setting was written, or the first of a section; of one that has its default, where its section begins. */
function placeOf(settings: Settings, path: string): string {
  const within = [...settings].find(([other]) => other === path || other.startsWith(`${path}.`));
  return (within?.[1] ?? settings.get(split(path)[0]))?.where ?? 'recipe';
}

/** What to say of a key that the section at `path` does not have. */
function unknown(schema: z.ZodObject, path: string, key: string, homes: ReadonlyMap<string, string>): string {
  if (path !== '' && Object.hasOwn(schema.shape, key)) return `${key} belongs at the top, in no section.`;
  const [section] = split(homes.get(key) ?? path);
  if (homes.has(key) && section !== path) return `${key} belongs under '${section}:'.`;
  const allowed = Object.keys(path === '' ? schema.shape : (sectionOf(schema.shape[path])?.shape ?? {}));
  const known = path === '' ? [...allowed, ...homes.values()] : allowed.map((name) => join(path, name));
  const [best] = [...new Set(known)].map((other) => ({ other, d: distance(key, other) })).sort((a, b) => a.d - b.d);
  const hint = best && best.d <= Math.max(2, key.length / 3) ? `; did you mean '${best.other}'?` : '.';
  return `unknown key '${shorten(join(path, key))}'${hint} Allowed: ${allowed.join(', ')}`;
}

/** How far a key is from a path, or from the name at its end. */
const distance = (key: string, path: string) => Math.min(editDistance(key, path), editDistance(key, split(path)[1]));

/** As it was written, or nearly: JSON has no Infinity. */
const shown = (value: unknown) =>
  (typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'nothing')).slice(0, 80);

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length];
}
