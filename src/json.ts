/**
 * JSON in and out without its silent losses. Out: JSON.stringify writes NaN and Infinity as null, so a measurement that
 * failed looks like one that was not made. In: JSON.parse keeps the last of two equal keys, reads 1e400 as Infinity, and
 * bytes that are no UTF-8 become replacement characters. Here each is an error with its place. Files are read by
 * json-files.ts.
 */
import type * as z from 'zod';
import { NinaError } from './errors.ts';
import { bareNumber } from './json-bare.ts';

/** Deeper than anything that is meant; functions that walk a value may recurse. */
const MAX_DEPTH = 100;

/**
 * The value as JSON text.
 * @param indent spaces of a level; one line unless given
 * @throws NinaError naming the place of a number that is not finite: JSON has no way to write it.
 */
export function toJson(value: unknown, indent?: number): string {
  let finite = true;
  const text = JSON.stringify(
    value,
    (_, part) => {
      if (typeof part === 'number' && !Number.isFinite(part)) finite = false;
      return part;
    },
    indent,
  );
  if (finite) return text;
  const [place, number] = notFinite(value, '')!;
  throw new NinaError(
    `${place || 'The result'} is ${number}, which JSON cannot hold: wanted finite numbers. What was computed is not usable.`,
  );
}

function notFinite(value: unknown, place: string): [place: string, number: number] | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : [place, value];
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, part] of Object.entries(value)) {
    const found = notFinite(part, Array.isArray(value) ? `${place}[${name}]` : place ? `${place}.${name}` : name);
    if (found) return found;
  }
  return undefined;
}

/** Bytes as text. @param where how messages name them @throws NinaError when they are not UTF-8. */
export function decodeText(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new NinaError(`${where} is not text: the bytes are not UTF-8. It is damaged, or of another kind.`, {
      cause,
    });
  }
}

/**
 * JSON text as a value.
 * @param where how messages name it: 'a.json', 'a.jsonl, line 3'
 * @throws NinaError for what is not JSON, a key that comes twice, nesting beyond reason, and numbers beyond float64.
 */
export function parseJson(text: string, where: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const bare = bareNumber(text);
    if (bare) throw new NinaError(`${where} holds ${printable(bare)}; every number must be finite.`, { cause });
    throw new NinaError(`${where} is not JSON: ${mistake(cause as SyntaxError)}.`, { cause });
  }
  const wrong = ambiguity(text, PROTOTYPE);
  if (wrong) throw new NinaError(`${where} is not JSON that can be trusted: ${wrong}.`);
  return value;
}

/** The engine's words without what they quote: a damaged file may hold anything. */
const mistake = ({ message }: SyntaxError) =>
  printable(/^[A-Z].*?(?=, \.*"| in JSON| \(line|$)/.exec(message)?.[0] ?? 'Unexpected word');

/** Schemas pass this key over without a word. */
const PROTOTYPE = '__proto__';

/** A surrogate without its other one. */
const HALF = /\p{Surrogate}/u;

/** Of a string's token, with the colon after a key or without. */
const textOf = (token: string): string => JSON.parse(token.slice(0, token.lastIndexOf('"') + 1));

/**
 * What JSON.parse lets pass in valid JSON, as the end of a sentence; undefined when there is nothing.
 * @param refused a key that no object may have
 */
export function ambiguity(text: string, refused?: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  // Without a choice at each character, of which the engine would remember every one: texts may be megabytes.
  for (const [token, , colon] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"(\s*(:))?|[{}[\]]|-?\d[\d.eE+-]*/g)) {
    if (token === '{' || token === '[') {
      if (open.push(token === '{' ? new Set() : undefined) > MAX_DEPTH)
        return `it is nested deeper than ${MAX_DEPTH} levels`;
    } else if (token === '}' || token === ']') open.pop();
    else if (/\\u[dD]/.test(token) && HALF.test(textOf(token))) return 'a text holds half a character';
    else if (colon) {
      const key = textOf(token);
      if (key === refused) return `it has a key "${refused}"`;
      const keys = open.at(-1)!;
      if (keys.has(key)) return `the key ${shown(key)} comes twice in one object`;
      keys.add(key);
    } else if (token[0] !== '"' && !Number.isFinite(Number(token))) return `the number ${shorten(token)} is too large`;
  }
  return undefined;
}

/**
 * A value checked by a schema.
 * @param advice what to do about a value that does not fit, as a sentence
 * @throws NinaError naming the first three mistakes and their places.
 */
export function checkJson<S extends z.ZodType>(schema: S, value: unknown, where: string, advice = ''): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const mistakes = result.error.issues.map(({ path, message }) => {
    const place = shorten(path.map(String).join('.'));
    return `${place && `${printable(place)}: `}${printable(plainly(message))}`;
  });
  const more = mistakes.length > 3 ? `; and ${mistakes.length - 3} more` : '';
  throw new NinaError(`${where}: ${mistakes.slice(0, 3).join('; ')}${more}. ${advice}`.trim());
}

/** A schema's message as a part of a sentence. */
export const plainly = (message: string): string =>
  message.replace(/^Invalid (input|option): /, '').replace(/received undefined/, 'found none');

/**
 * The values of JSON lines, each checked by a schema.
 * @throws NinaError naming the file and the line that is damaged.
 */
export function parseLines<S extends z.ZodType>(text: string, file: string, schema: S, advice: string): z.output<S>[] {
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line, i) => {
    const where = `${file}, line ${i + 1}`;
    try {
      return checkJson(schema, parseJson(line, where), where);
    } catch (error) {
      if (!(error instanceof NinaError)) throw error;
      throw new NinaError(`${error.message} ${advice}`, { cause: error });
    }
  });
}

const SHOWN = 80;
/** Enough of a text from a file to know it by. */
export const shorten = (text: string) => (text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text);
const shown = (key: string) => printable(shorten(JSON.stringify(key)));
/** Control characters of a damaged file stay out of the terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it is for
const printable = (text: string) => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd');
