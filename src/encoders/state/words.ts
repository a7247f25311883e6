/**
 * Words of instructions and categories, and the closed vocabulary learned from the training data.
 *
 * A word is a run of letters, marks and digits of any script, in Unicode's compatibility form (full-width letters are
 * letters, an accent is the same however it is typed) and lower case. Scripts that do not part words give one word per
 * character: a segmenter's dictionary would change with the machine. Emoji and symbols beyond ASCII are words, because
 * an arrow may be all that tells two instructions apart; punctuation is none.
 */
import { NinaError } from '../../errors.ts';
import type { StateConfig } from './config.ts';

const SPACELESS = [
  ...['Han', 'Hiragana', 'Katakana', 'Bopomofo', 'Yi', 'Nushu', 'Tangut'],
  ...['Thai', 'Lao', 'Khmer', 'Myanmar', 'Tai_Le', 'New_Tai_Lue', 'Tai_Tham', 'Tai_Viet', 'Javanese', 'Balinese'],
].map((script) => `\\p{scx=${script}}`);
/** A character of such a script with its marks; a run of others; a symbol. */
const WORD = new RegExp(
  [
    `(?=[${SPACELESS.join('')}])[\\p{L}\\p{N}]\\p{M}*`,
    `(?:(?![${SPACELESS.join('')}])[\\p{L}\\p{N}]|\\p{M})+`,
    '[^\\x00-\\x7F\\p{L}\\p{M}\\p{N}\\p{P}\\p{Z}\\p{Cc}\\p{Cf}\\p{Cs}]\\p{M}*',
  ].join('|'),
  'gu',
);
/** An emoji with what modifies it and what is joined to it; a flag is two regional indicators. */
const EMOJI = /((?:\p{ExtPict}(?:\p{EMod}|\uFE0F|\u20E3|[\u{E0020}-\u{E007F}])*(?:\u200D(?=\p{ExtPict}))?)+|\p{RI})/u;
/** Shape what is beside them, and are no characters of their own: joiners, directions, soft hyphens, text or emoji style. */
const INVISIBLE = /\p{Cf}|\p{VS}/gu;

/** 'Pick up the Alphabet_Soup.' -> pick, up, the, alphabet, soup; '拿起碗 →' -> 拿, 起, 碗, →. */
export function tokenise(text: string): string[] {
  // Emoji first: some fall apart into letters and punctuation in the compatibility form.
  return text.split(EMOJI).flatMap((part, i) => {
    if (i % 2 === 1) return [part.replaceAll('\uFE0F', '')];
    return part.replace(INVISIBLE, '').normalize('NFKC').toLowerCase().normalize('NFKC').match(WORD) ?? [];
  });
}

/**
 * @param where how messages call the scene
 * @throws NinaError naming an instruction or category that holds no word: a policy would act as if nothing was said.
 */
export function requireWords(
  { instruction, categories }: { readonly instruction: string; readonly categories: readonly string[] },
  where?: string,
): void {
  const silent = (text: string) => tokenise(text).length === 0;
  const what = silent(instruction) ? 'instruction' : 'category';
  const text = what === 'instruction' ? instruction : categories.find(silent);
  if (text === undefined) return;
  throw new NinaError(
    `${where === undefined ? 'The' : `${where}: the`} ${what} ${JSON.stringify(text)} holds no word, so a policy cannot tell ` +
      'it from any other. Give it words, digits or symbols.',
  );
}

/**
 * Indices into `config.words`.
 * @throws NinaError naming the first word that the training data did not contain: a policy cannot follow it.
 */
export function wordIds(config: StateConfig, text: string): number[] {
  return tokenise(text).map((word) => {
    const id = config.words.indexOf(word);
    if (id < 0)
      throw new NinaError(
        `The policy never saw the word "${word}" of "${text}" in training. Its words are: ${config.words.join(', ')}.`,
      );
    return id;
  });
}
