/**
 * Learning a byte-level BPE (Sennrich et al. 2016, arXiv 1508.07909, over bytes as GPT-2 and BART do it) from texts: the
 * most frequent pair of neighbours becomes a token, again and again. Every byte is a token from the start, so any text has
 * ids. Written as the tokenizer.json that words.ts reads.
 *
 * Two things differ from BART's, so that a small vocabulary is not spent on spellings of one word: texts are lower-cased,
 * and the first word is preceded by a space as the others are.
 */
import { SPECIALS } from './words.ts';

const PRE_TOKENIZER = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true } as const;
/** GPT-2's way to cut a text into words, each with the space before it: what their pre-tokenizer of that name does. */
const WORD = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** The letter that stands for each byte: itself where that can be seen, else one of those from U+0100 on. */
const LETTERS: readonly string[] = lettersOfBytes();

function lettersOfBytes(): string[] {
  const seen = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(seen(byte) ? byte : next++));
}

/** The words of a text in letters of bytes. */
function wordsIn(text: string): string[] {
  const words = ` ${text.toLowerCase().trimStart()}`.match(WORD)!;
  return words.map((word) => Array.from(new TextEncoder().encode(word), (byte) => LETTERS[byte]).join(''));
}

type Pair = readonly [left: string, right: string];
/** A word as its tokens so far, and how often the texts have it. */
interface Word {
  symbols: string[];
  readonly count: number;
}

/**
 * @param size most tokens there may be, specials and bytes included; fewer where the texts have no more pairs
 * @returns what a tokenizer.json holds; a function of the arguments alone, whatever the order of the texts
 */
export function learnTokenizer(texts: Iterable<string>, size: number): string {
  const counts = new Map<string, number>();
  for (const text of texts) for (const word of wordsIn(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const words = [...counts].map(([word, count]): Word => ({ symbols: [...word], count }));
  const vocabulary = new Set([...Object.keys(SPECIALS), ...LETTERS]);
  const merges: Pair[] = [];
  while (vocabulary.size < size) {
    const pair = mostFrequent(words);
    if (!pair) break;
    for (const word of words) word.symbols = merged(word.symbols, pair);
    merges.push(pair);
    vocabulary.add(pair.join(''));
  }
  return `${JSON.stringify(fileOf([...vocabulary], merges), null, 1)}\n`;
}

/** Of pairs that are equally frequent, the first in the order of their characters. */
function mostFrequent(words: readonly Word[]): Pair | undefined {
  const counts = new Map<string, number>();
  for (const { symbols, count } of words)
    for (let i = 1; i < symbols.length; i++) {
      // The tokens of bytes have no space among them.
      const pair = `${symbols[i - 1]} ${symbols[i]}`;
      counts.set(pair, (counts.get(pair) ?? 0) + count);
    }
  let best: string | undefined;
  for (const [pair, count] of counts) {
    const lead = best === undefined ? 1 : count - counts.get(best)!;
    if (lead > 0 || (lead === 0 && pair < best!)) best = pair;
  }
  if (best === undefined) return undefined;
  const [left, right] = best.split(' ');
  return [left, right];
}

function merged(symbols: readonly string[], [left, right]: Pair): string[] {
  const out: string[] = [];
  for (let i = 0; i < symbols.length; i++)
    if (symbols[i] === left && symbols[i + 1] === right) out.push(left + symbols[++i]);
    else out.push(symbols[i]);
  return out;
}

function fileOf(vocabulary: readonly string[], merges: readonly Pair[]) {
  const how = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const frame = { sep: ['</s>', SPECIALS['</s>']], cls: ['<s>', SPECIALS['<s>']] };
  return {
    ...{ version: '1.0', truncation: null, padding: null },
    added_tokens: Object.entries(SPECIALS).map(([content, id]) => ({ id, content, ...how })),
    normalizer: { type: 'Lowercase' },
    pre_tokenizer: PRE_TOKENIZER,
    post_processor: { type: 'RobertaProcessing', ...frame, trim_offsets: true, add_prefix_space: true },
    decoder: PRE_TOKENIZER,
    model: {
      ...{ type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null },
      ...{ fuse_unk: false, byte_fallback: false, ignore_merges: false },
      vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
      merges,
    },
  };
}
