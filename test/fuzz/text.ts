/** Mutations of languages made of words: tokens dropped, doubled, swapped, replaced by words of the language or odd ones. */
import type { Rng } from '../../src/random.ts';
import { anyBytes, type Mutate } from './bytes.ts';
import { oddText } from './json.ts';

/**
 * @param token what a word is
 * @param words what it may be replaced by, or what may be put between
 */
export const anyText =
  (token: RegExp, words: readonly ((r: Rng) => string)[]): Mutate =>
  (bytes, r) => {
    const action = r.int(12);
    if (action === 0) return anyBytes(bytes, r);
    if (action === 1) return oddText(bytes, r);
    const text = bytes.toString('latin1');
    const found = [...text.matchAll(token)];
    if (found.length === 0) return anyBytes(bytes, r);
    const pick = () => {
      const match = r.pick(found);
      return { from: match.index, to: match.index + match[0].length, text: match[0] };
    };
    const put = (from: number, to: number, by: string) =>
      Buffer.concat([bytes.subarray(0, from), Buffer.from(by), bytes.subarray(to)]);
    const one = pick();
    if (action === 2) return put(one.from, one.to, '');
    if (action === 3) return put(one.to, one.to, ` ${one.text}`);
    if (action <= 5) return put(one.from, one.to, pick().text);
    if (action <= 9) return put(one.from, one.to, r.pick(words)(r));
    if (action === 10) return put(one.to, one.to, r.pick(words)(r));
    // A whole line, moved or doubled.
    const lines = text.split('\n');
    const [line] = lines.slice(r.int(lines.length));
    lines.splice(r.int(lines.length + 1), 0, line);
    return Buffer.from(lines.join('\n'), 'latin1');
  };
