/**
 * Texts as the tokens that a text encoder was trained on: the tokenizer.json of its checkpoint, read by Hugging Face's own
 * package, so that every id is theirs.
 */
import * as huggingface from '@huggingface/tokenizers';
import * as z from 'zod';
import { NinaError } from '../../errors.ts';
import { checkJson, parseJson, shorten } from '../../json.ts';

/** Rows of BART's embedding that no tokenizer may give another meaning. */
export const SPECIALS = { '<s>': 0, '<pad>': 1, '</s>': 2, '<unk>': 3 } as const;

const addedToken = z.looseObject({ id: z.int().min(0), content: z.string() });
/** What is asked of a tokenizer.json before its reader gets it; the rest is the reader's to judge. */
const schema = z.looseObject({
  added_tokens: z.array(addedToken),
  model: z.looseObject({
    type: z.literal('BPE'),
    vocab: z.record(z.string(), z.int().min(0)),
    merges: z.array(z.union([z.string(), z.array(z.string()).length(2)])),
  }),
});
export type TokenizerJson = z.output<typeof schema>;

const WHAT = 'tokenizer.json';
const ADVICE = "Wanted a byte-level BPE tokenizer as Hugging Face's tokenizers write it, such as BART's.";

/** @throws NinaError for what is no tokenizer.json of byte-level BPE. */
export const parseTokenizer = (json: string): TokenizerJson => checkJson(schema, parseJson(json, WHAT), WHAT, ADVICE);

/** All ids are below it: the rows that an embedding must have. */
export function sizeOf({ added_tokens, model }: TokenizerJson): number {
  let size = 0;
  for (const id of Object.values(model.vocab)) size = Math.max(size, id + 1);
  for (const { id } of added_tokens) size = Math.max(size, id + 1);
  return size;
}

export interface Tokenizer {
  /** @returns ids with <s> before and </s> behind. */
  encode(text: string): number[];
  /** Of a token as the file spells it: '<pad>'. */
  id(token: string): number | undefined;
  /** All ids are below it: the rows that an embedding must have. */
  readonly size: number;
}

/** Few are open at a time, and the real one takes a fifth of a second. */
const OPEN = 4;
const opened = new Map<string, Tokenizer>();

/**
 * Parsed once for each text, the last few of which are kept.
 * @param json what a tokenizer.json holds
 * @throws NinaError for what is no byte-level BPE, or has other ids than 0 to 3 for <s>, <pad>, </s> and <unk>.
 */
export function openTokenizer(json: string): Tokenizer {
  const tokenizer = opened.get(json) ?? read(json);
  opened.delete(json);
  opened.set(json, tokenizer);
  if (opened.size > OPEN) opened.delete(opened.keys().next().value!);
  return tokenizer;
}

function read(json: string): Tokenizer {
  const file = parseTokenizer(json);
  const reader = readerOf(file);
  for (const [token, wanted] of Object.entries(SPECIALS)) {
    const id = reader.token_to_id(token);
    if (id !== wanted)
      throw new NinaError(`${WHAT} has the id ${id ?? 'none'} for ${token}; wanted ${wanted}. ${ADVICE}`);
  }
  const frame = reader.encode('').ids;
  if (frame.join() !== '0,2')
    throw new NinaError(`${WHAT} makes of an empty text the ids [${frame}]; wanted <s> </s>, [0,2]. ${ADVICE}`);
  return {
    encode: (text) => reader.encode(text).ids,
    id: (token) => reader.token_to_id(token),
    size: sizeOf(file),
  };
}

/** What is used of theirs; their own types do not resolve in ES modules. */
interface Reader {
  encode(text: string): { ids: number[] };
  token_to_id(token: string): number | undefined;
}

function readerOf(file: TokenizerJson): Reader {
  try {
    return new huggingface.Tokenizer(file, {});
  } catch (cause) {
    throw new NinaError(`${WHAT} could not be read: ${(cause as Error).message}. ${ADVICE}`, { cause });
  }
}

/** How the ids of an instruction follow from an encoder's configuration. */
export interface Reading {
  /** With {instruction} where it goes. */
  readonly prompt: string;
  /** L: most tokens of a text, with <s> and </s>. */
  readonly max_text: number;
  /** Rows of the embedding. */
  readonly vocabulary: number;
}

/**
 * Ids of an instruction within its prompt, with <s> and </s>.
 * @throws NinaError for an instruction that says nothing, is too long, or spells a token without a row in the embedding.
 */
export function promptIds(
  tokenizer: Tokenizer,
  { prompt, max_text, vocabulary }: Reading,
  instruction: string,
): number[] {
  const named = JSON.stringify(shorten(instruction));
  if (instruction.trim() === '')
    throw new NinaError(`The instruction ${named} says nothing: wanted what to do, in words.`);
  // A function, since a replacing text gives `$&` a meaning.
  const ids = tokenizer.encode(prompt.replace('{instruction}', () => instruction));
  if (ids.length > max_text)
    throw new NinaError(
      `The instruction ${named} is ${ids.length} tokens with its prompt, and this policy reads at most ${max_text}. Say it ` +
        'shorter, or train or import with a larger max_text: no weight depends on it.',
    );
  const beyond = ids.find((id) => id >= vocabulary);
  if (beyond !== undefined)
    throw new NinaError(
      `The instruction ${named} spells the token ${beyond}, and the embedding has ${vocabulary} rows. Say it otherwise.`,
    );
  return ids;
}
