/** An observation as JSON, with sentences that name the entry that is wrong. */
import type { StateObservation } from '../encoders/state/index.ts';
import { NinaError } from '../errors.ts';
import { observationSchema } from '../policy/index.ts';

/**
 * @param what how messages call the text
 * @throws NinaError for what is not JSON or no observation, naming its entries, and for numbers that are not finite.
 */
export function parseObservation(json: string, what: string): StateObservation {
  const parsed = observationSchema.safeParse(parseJson(json, what));
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `  ${issue.path.join('.') || 'value'}: ${issue.message}`);
    throw new NinaError(
      `${what} is no observation, {proprio: [11 numbers], entities: [8 for each entity], categories, instruction}:\n${problems.join('\n')}`,
    );
  }
  for (const name of ['proprio', 'entities'] as const) {
    const bad = parsed.data[name].findIndex((value) => !Number.isFinite(Math.fround(value)));
    if (bad >= 0)
      throw new NinaError(
        `${what} holds ${parsed.data[name][bad]} at ${name}.${bad}, which is beyond float32's numbers.`,
      );
  }
  return parsed.data;
}

/** JSON, with a sentence of its own for the numbers that JSON does not have and Python's writer writes all the same. */
function parseJson(json: string, what: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    const bare = notFinite(json);
    if (bare) throw new NinaError(`${what} holds ${bare}; every number must be finite.`, { cause });
    throw new NinaError(`${what} is not JSON: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/** Stands for a bare NaN or Infinity while looking for its place. */
const MARK = 'not finite: ';

/** The first bare NaN or Infinity and where it stands, undefined where that is not what is wrong with the text. */
function notFinite(json: string): string | undefined {
  const marked = json.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (token) =>
    token.startsWith('"') ? token : `"${MARK}${token}"`,
  );
  try {
    return findMark(JSON.parse(marked), []);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function findMark(value: unknown, path: readonly string[]): string | undefined {
  if (typeof value === 'string' && value.startsWith(MARK)) return `${value.slice(MARK.length)} at ${path.join('.')}`;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, inner] of Object.entries(value)) {
    const found = findMark(inner, [...path, name]);
    if (found) return found;
  }
  return undefined;
}
