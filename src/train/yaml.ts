/**
 * YAML files of settings, without YAML's surprises: no tags, no aliases, no YAML 1.1, no value that stands for another than it looks
 * like. What is left are mappings of words to texts, finite numbers, booleans and lists, each with its line.
 */
import { type Document, isAlias, isCollection, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { UsageError } from '../errors.ts';
import { readText } from '../json-files.ts';

/** A parsed YAML file, and the place of an offset in it as 'recipes/a.yaml:3'. */
export interface YamlFile {
  readonly document: Document.Parsed;
  at(offset: number): string;
}

/** @throws UsageError with file and line for what is not such YAML; NinaError when the file cannot be read. */
export function openYaml(file: string): YamlFile {
  const text = readText(file);
  const lines = new LineCounter();
  const document = parse(file, text, lines);
  const at = (offset: number) => `${file}:${lines.linePos(offset).line}`;
  // A tag that is unknown is only a warning to the library, which then takes the value as text.
  const [broken] = [...document.errors, ...document.warnings];
  if (broken) throw new UsageError(`${at(broken.pos[0])}: not valid YAML: ${reason(broken.message)}`);
  if (document.directives.yaml.version !== '1.2')
    throw new UsageError(
      `${file}:1: YAML ${document.directives.yaml.version} is not read: wanted 1.2. Remove the line %YAML.`,
    );
  const offset = (node: { range?: readonly number[] | null }) => node.range?.[0] ?? 0;
  visit(document, {
    Pair(_, { key }) {
      if (isScalar(key) && typeof key.value === 'string' && key.value !== '__proto__') return;
      const place = at(isScalar(key) || isCollection(key) || isAlias(key) ? offset(key) : 0);
      throw new UsageError(`${place}: every key must be a plain word. Write a number as "1", in quotes.`);
    },
    Alias(_, alias) {
      throw new UsageError(
        `${at(offset(alias))}: *${alias.source} is an alias, which is not read here. Write out what it stands for.`,
      );
    },
    Scalar(_, scalar) {
      const wrong = mistake(scalar.value, scalar.source);
      if (wrong) throw new UsageError(`${at(offset(scalar))}: ${wrong}`);
    },
    Collection(_, collection, path) {
      if (path.length > MAX_DEPTH) throw new UsageError(`${at(offset(collection))}: ${DEEP}`);
      if (!collection.tag || /:(map|seq)$/.test(collection.tag)) return;
      throw new UsageError(`${at(offset(collection))}: a tag (!) is not read here. Remove it.`);
    },
  });
  return { document, at };
}

const MAX_DEPTH = 100;
const DEEP = 'not valid YAML: it is nested too deeply.';

function parse(file: string, text: string, lineCounter: LineCounter): Document.Parsed {
  try {
    return parseDocument(text, { lineCounter, logLevel: 'error' });
  } catch (cause) {
    // The library's parser recurses.
    if (!(cause instanceof RangeError)) throw cause;
    throw new UsageError(`${file}:1: ${DEEP}`, { cause });
  }
}

function mistake(value: unknown, source: string | undefined): string | undefined {
  if (typeof value === 'string') {
    if (/[\0\p{Surrogate}]/u.test(value))
      return 'a text holds a character that no text can hold (NUL, or half of one).';
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) return `wanted a finite number; got ${source ?? value}.`;
    if (Number.isInteger(value) && !Number.isSafeInteger(value) && /^[-+]?\d+$/.test(source ?? ''))
      return `the integer ${source} is too large to be exact: wanted one below 2^53.`;
  } else if (typeof value !== 'boolean' && value !== null && value !== undefined) {
    return 'a tag (!) is not read here. Remove it.';
  }
  return undefined;
}

const reason = (message: string) =>
  message.startsWith('Maximum call stack') ? 'it is nested too deeply.' : message.split('\n')[0].replace(/:$/, '.');
