/**
 * Where settings come from: a YAML recipe with its sections, the paper's flags, `--set decoder.n_layers=8`. On the command
 * line a setting may be named without its section.
 */
import { isMap, isScalar, type ParsedNode, type YAMLMap } from 'yaml';
import { UsageError } from '../errors.ts';
import { shorten } from '../json.ts';
import { pathOf } from './config.ts';
import { join, type Setting, type Settings } from './settings.ts';
import { openYaml, type YamlFile } from './yaml.ts';

/**
 * The settings of a recipe file: a YAML mapping whose sections are mappings.
 * @throws UsageError with file and line for anything else; NinaError when the file cannot be read.
 */
export function readRecipe(file: string): Settings {
  const yaml = openYaml(file);
  return yaml.document.contents === null ? new Map() : settingsOf(yaml, yaml.document.contents);
}

/** The mapping at `node` of a YAML file as settings, those of its sections included. @throws UsageError when it is none. */
export function settingsOf(yaml: YamlFile, node: ParsedNode): Settings {
  if (!isMap(node))
    throw new UsageError(`${yaml.at(node.range[0])}: a recipe is a mapping of lines 'key: value'; got something else.`);
  const entries = ({ items }: YAMLMap.Parsed) =>
    items.map(({ key, value }) => ({
      key: String(isScalar(key) ? key.value : key),
      value,
      where: yaml.at(key.range[0]),
    }));
  const setting = (path: string, value: ParsedNode | null, where: string): [string, Setting] => [
    path,
    { value: value?.toJS(yaml.document) ?? null, where },
  ];
  return new Map(
    entries(node).flatMap(({ key, value, where }): [string, Setting][] => {
      if (key.includes('.'))
        throw new UsageError(`${where}: '${shorten(key)}' has a dot: in a file, a setting stands under its section.`);
      if (!isMap(value)) return [setting(key, value, where)];
      const own = entries(value).map((entry) => setting(join(key, entry.key), entry.value, entry.where));
      return [[key, { value: {}, where }], ...own];
    }),
  );
}

/**
 * Flags by the plain names of settings; undefined ones were not given. 3 is a number, true a boolean; what names a folder is
 * always text.
 */
export function flagSettings(flags: Readonly<Record<string, string | undefined>>): Settings {
  return new Map(
    Object.entries(flags).flatMap(([name, text]): [string, Setting][] =>
      text === undefined ? [] : [[pathOf(name) ?? name, { value: valueFrom(name, text), where: `--${name}` }]],
    ),
  );
}

/**
 * `--set decoder.n_layers=8` or, without the section, `--set n_layers=8`; repeatable, a later one of the same setting counts.
 * @throws UsageError for text without '='.
 */
export function assignments(texts: readonly string[]): Settings {
  const settings = new Map<string, Setting>();
  for (const text of texts) {
    const at = text.indexOf('=');
    const name = text.slice(0, Math.max(at, 0)).trim();
    if (name === '') throw new UsageError(`--set wants key=value; got '${shorten(text)}'.`);
    settings.set(pathOf(name) ?? name, { value: valueFrom(name, text.slice(at + 1)), where: `--set ${shorten(name)}` });
  }
  return settings;
}

/** Settings that name a folder. */
const TEXTS: readonly string[] = ['data', 'init'];

const valueFrom = (name: string, text: string): unknown => (TEXTS.includes(name) ? text : scalar(text));

/** Numbers and booleans as such, [a, b] as a list of such, anything else verbatim. */
function scalar(text: string): unknown {
  const list = /^\[(.*)\]$/.exec(text)?.[1];
  if (list !== undefined) return list.trim() === '' ? [] : list.split(',').map((item) => scalar(item.trim()));
  if (/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) return Number(text);
  if (text === 'true' || text === 'false') return text === 'true';
  return text;
}
