/**
 * NaN and Infinity as bare words in JSON text: no JSON, but what Python's writer writes all the same. Naming the place
 * of the number tells more than the parser's complaint about a letter.
 */

/** The first such word and where it stands, 'NaN at state.0'; undefined where that is not what is wrong with the text. */
export function bareNumber(json: string): string | undefined {
  const MARK = 'not finite: ';
  const marked = json.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\b(?:NaN|Infinity)\b/g, (token) =>
    token.startsWith('"') ? token : `"${MARK}${token}"`,
  );
  const find = (value: unknown, path: readonly string[]): string | undefined => {
    if (typeof value === 'string' && value.startsWith(MARK)) return `${value.slice(MARK.length)} at ${path.join('.')}`;
    if (typeof value !== 'object' || value === null) return undefined;
    for (const [name, inner] of Object.entries(value)) {
      const found = find(inner, [...path, name]);
      if (found) return found;
    }
    return undefined;
  };
  try {
    return find(JSON.parse(marked), []);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined; // other mistakes, or nested too deep
    throw error;
  }
}
