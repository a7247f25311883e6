/** What the JSON files of a checkpoint or of an encoder's folder say, checked by a schema and told in sentences. */
import * as z from 'zod';
import { NinaError } from '../errors.ts';
import { plainly } from '../json.ts';

const SHOWN = 5;

/** A few of the items, each in a line of its own, below how many there are. */
export function list(title: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  const more = items.length > SHOWN ? [`    ... and ${items.length - SHOWN} more`] : [];
  return [`  ${items.length} ${title}:`, ...items.slice(0, SHOWN).map((item) => `    ${item}`), ...more];
}

/** @throws NinaError listing what in a JSON file is not as the schema wants it. */
export function checkFile<S extends z.ZodType>(
  value: unknown,
  file: string,
  schema: S,
  what = 'a policy',
): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const found =
    typeof value === 'object' && value !== null ? Object.keys(value).join(', ').slice(0, 200) : typeof value;
  const problems = result.error.issues.map((issue) => `${issue.path.join('.') || 'file'}: ${plainly(issue.message)}`);
  throw new NinaError(
    [`${file} does not describe ${what} (its keys: ${found}):`, ...list('not as wanted', problems)].join('\n'),
  );
}

const sha256Text = z.string().regex(/^[0-9a-f]{64}$/, 'wanted a sha256');

/** manifest.json's `files`: these, and what files an encoder needs beside its weights. */
export const filesSchema = <N extends string>(...names: readonly N[]) =>
  z
    .object(Object.fromEntries(names.map((name) => [name, sha256Text])) as Record<N, typeof sha256Text>)
    .catchall(sha256Text)
    .superRefine((files, context) => {
      // A name with a path in it would be read from elsewhere.
      const wrong = Object.keys(files).find((name) => !/^\w[\w.-]*$/.test(name));
      if (wrong !== undefined) context.addIssue({ code: 'custom', message: `"${wrong}" is no name of a file` });
    })
    .describe('sha256 of each file');
