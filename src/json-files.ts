/** Text and JSON of files, with the care of json.ts. */
import * as fs from 'node:fs';
import type * as z from 'zod';
import { fileError, requireFile } from './files.ts';
import { checkJson, decodeText, parseJson, parseLines } from './json.ts';

/** A text file's content. @throws NinaError when it cannot be read or is not UTF-8. */
export const readText = (file: string): string => decodeText(readBytes(file), file);

function readBytes(file: string): Buffer {
  try {
    return fs.readFileSync(file);
  } catch (cause) {
    throw fileError(`Could not read ${file}`, cause);
  }
}

/** A JSON file checked by a schema. @throws NinaError naming the file and what is wrong in it. */
export function readJson<S extends z.ZodType>(file: string, schema: S, advice?: string): z.output<S> {
  requireFile(file);
  return checkJson(schema, parseJson(readText(file), file), file, advice);
}

/**
 * The values of a JSON lines file that is written whole, one a line.
 * @throws NinaError naming the file and the line that is damaged.
 */
export function readJsonLines<S extends z.ZodType>(file: string, schema: S, advice: string): z.output<S>[] {
  requireFile(file);
  const text = decodeText(readBytes(file), file);
  return parseLines(text.endsWith('\n') || text === '' ? text : `${text}\n`, file, schema, advice);
}

/**
 * The same of a file that lines are appended to: what follows the last line break was cut by a crash and is no line.
 * @throws NinaError naming the file and the line that is damaged.
 */
export function readJsonLog<S extends z.ZodType>(file: string, schema: S, advice: string): z.output<S>[] {
  requireFile(file);
  const bytes = readBytes(file);
  // Cut before it is decoded: the crash may have cut through a character.
  const whole = bytes.subarray(0, bytes.lastIndexOf('\n') + 1);
  return parseLines(decodeText(whole, file), file, schema, advice);
}
