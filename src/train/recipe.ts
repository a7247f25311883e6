/**
 * Settings from people: a YAML recipe, flags, `--set key=value`. Each setting remembers where it was written, so a
 * mistake is reported with its place, what is allowed there and what was found, all mistakes at once.
 */
import { isMap, isScalar, type ParsedNode } from 'yaml';
import type * as z from 'zod';
import { UsageError } from '../errors.ts';
import { plainly, shorten } from '../json.ts';
import { openYaml, type YamlFile } from './yaml.ts';

export interface Setting {
  readonly value: unknown;
  /** 'recipes/a.yaml:3', '--n_layers', '--set n_layers' */
  readonly where: string;
}

export type Settings = ReadonlyMap<string, Setting>;

/**
 * The settings of a recipe file: one flat YAML mapping.
 * @throws UsageError with file and line for anything else; NinaError when the file cannot be read.
 */
export function readRecipe(file: string): Settings {
  const yaml = openYaml(file);
  return yaml.document.contents === null ? new Map() : settingsOf(yaml, yaml.document.contents);
}

/** The mapping at `node` of a YAML file as settings. @throws UsageError when it is none. */
export function settingsOf(yaml: YamlFile, node: ParsedNode): Settings {
  if (!isMap(node))
    throw new UsageError(`${yaml.at(node.range[0])}: a recipe is a mapping of lines 'key: value'; got something else.`);
  return new Map(
    node.items.map(({ key, value }): [string, Setting] => [
      String(isScalar(key) ? key.value : key),
      { value: value?.toJS(yaml.document) ?? null, where: yaml.at(key.range[0]) },
    ]),
  );
}

/** Flags by their key; undefined ones were not given. 3 is a number, true a boolean, `data` always text. */
export function flagSettings(flags: Readonly<Record<string, string | undefined>>): Settings {
  return new Map(
    Object.entries(flags).flatMap(([name, text]): [string, Setting][] =>
      text === undefined ? [] : [[name, { value: name === 'data' ? text : scalar(text), where: `--${name}` }]],
    ),
  );
}

/** `--set key=value`, repeatable. @throws UsageError for text without '='. A later one of the same key counts. */
export function assignments(texts: readonly string[]): Settings {
  const settings = new Map<string, Setting>();
  for (const text of texts) {
    const at = text.indexOf('=');
    const name = text.slice(0, Math.max(at, 0)).trim();
    if (name === '') throw new UsageError(`--set wants key=value; got '${shorten(text)}'.`);
    settings.set(name, { value: scalar(text.slice(at + 1)), where: `--set ${shorten(name)}` });
  }
  return settings;
}

/** The settings checked and completed by the schema's defaults. @throws UsageError with one line per mistake. */
export function check<S extends z.ZodType>(schema: S, allowed: readonly string[], settings: Settings): z.output<S> {
  const given = Object.fromEntries([...settings].map(([name, { value }]) => [name, value]));
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const mistakes = result.error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map(
        (name) => `${settings.get(name)!.where}: unknown key '${shorten(name)}'${suggestion(name, allowed)}`,
      );
    const name = String(issue.path[0] ?? '');
    const setting = settings.get(name);
    const got = setting && issue.code !== 'custom' ? `; got ${shown(setting.value)}` : '';
    return [`${setting?.where ?? 'recipe'}: ${name}: ${plainly(issue.message)}${got}`];
  });
  throw new UsageError(mistakes.join('\n'));
}

/** As it was written, or nearly: JSON has no Infinity. */
const shown = (value: unknown) =>
  (typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'nothing')).slice(0, 80);

/** Numbers and booleans as such, anything else verbatim: a folder may be called 'a #b' or '@x'. */
function scalar(text: string): unknown {
  if (/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) return Number(text);
  if (text === 'true' || text === 'false') return text === 'true';
  return text;
}

function suggestion(name: string, allowed: readonly string[]): string {
  const [best] = allowed.map((key) => ({ key, d: editDistance(name, key) })).sort((a, b) => a.d - b.d);
  const hint = best && best.d <= Math.max(2, name.length / 3) ? `; did you mean '${best.key}'?` : '.';
  return `${hint} Allowed: ${allowed.join(', ')}`;
}

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
