import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { florenceTokenizer } from './specials.ts';
import { openTokenizer, promptIds } from './words.ts';

const root = path.join(import.meta.dirname, '../../../test/fixtures/florence2');
const read = (name: string) => fs.readFileSync(path.join(root, name), 'utf8');
const tiny = read('tokenizer-tiny.json');
/** Texts with the ids that Hugging Face's tokenizers for Python gave them. */
const prompts: { text: string; ids: number[] }[] = JSON.parse(read('prompts-tiny.json'));

describe('the ids of the reference', () => {
  test.each(prompts)('$text', ({ text, ids }) => {
    expect(openTokenizer(tiny).encode(text)).toEqual(ids);
  });

  test('a token by its name; one embedding has a row for each', () => {
    const tokenizer = openTokenizer(tiny);
    expect(['<s>', '<pad>', '</s>', '<unk>', '<mask>', '<Flow>', '<flow>'].map(tokenizer.id)).toEqual([
      ...[0, 1, 2, 3, 380, 382, undefined],
    ]);
    expect(tokenizer.size).toBe(383);
  });
});

test('one text is parsed once while few are open', () => {
  const first = openTokenizer(tiny);
  expect(openTokenizer(`${tiny}`)).toBe(first);
  for (let i = 1; i <= 4; i++) openTokenizer(tiny + ' '.repeat(i));
  expect(openTokenizer(tiny)).not.toBe(first);
});

/** As `tiny`, with what `change` makes of it. */
// biome-ignore lint/suspicious/noExplicitAny: any part of a file may be changed
function changed(change: (file: any) => void): string {
  const file = JSON.parse(tiny);
  change(file);
  return JSON.stringify(file);
}

describe("Florence's own tokens", () => {
  const bare = changed((file) => file.added_tokens.splice(5));
  const full = florenceTokenizer(bare);

  test("follow the tokenizer's own, in the order of the processor, and <Flow> follows them", () => {
    const { id, size } = openTokenizer(full);
    const places = ['<od>', '</od>', '<ocr>', '</ocr>', '<loc_0>', '<loc_999>', '<cap>', '<sep>', '<and>', '<Flow>'];
    expect(places.map((token) => id(token)! - 381)).toEqual([0, 1, 2, 3, 4, 1003, 1004, 1014, 1023, 1024]);
    expect(size).toBe(381 + 1024 + 1);
    // Of BART's 50,265 these are the rows that the weights have.
    expect(50265 + id('<and>')! - 381).toBe(51288);
  });

  test('are read as one token each, and change nothing else', () => {
    const known = /<loc_0>/;
    for (const { text, ids } of prompts.filter(({ text }) => !known.test(text)))
      expect(openTokenizer(full).encode(text)).toEqual(ids);
    expect(openTokenizer(full).encode('go <loc_7> there')[4]).toBe(openTokenizer(full).id('<loc_7>'));
  });

  test('are added once', () => {
    expect(florenceTokenizer(full)).toBe(full);
    expect(florenceTokenizer(tiny)).toBe(tiny);
  });
});

test.each([
  ['{', 'tokenizer.json is not JSON'],
  ['{}', 'tokenizer.json: added_tokens: expected array, found none; model: expected object, found none'],
  [changed((file) => Object.assign(file.model, { type: 'Unigram' })), 'model.type: expected "BPE"'],
  [changed((file) => Object.assign(file.added_tokens[1], { id: 5 })), 'has the id 5 for <pad>; wanted 1'],
  [
    changed((file) => Object.assign(file, { post_processor: null })),
    'of an empty text the ids []; wanted <s> </s>, [0,2]',
  ],
  [changed((file) => Object.assign(file, { pre_tokenizer: { type: 'New' } })), 'could not be read: '],
])('what is no such tokenizer is told: %#', (json, told) => {
  expect(() => openTokenizer(json)).toThrow(told);
});

describe('an instruction in its prompt', () => {
  const tokenizer = openTokenizer(tiny);
  const reading = { prompt: 'Task Instruction: {instruction}', max_text: 40, vocabulary: 383 };

  test('is the prompt with the instruction, whatever signs it has', () => {
    fc.assert(
      fc.property(fc.constantFrom('open the drawer', "$& the $' $1 {instruction}", 'öffne 抽屉 🤖'), (text) => {
        const ids = promptIds(tokenizer, { ...reading, max_text: 99 }, text);
        expect(ids).toEqual(tokenizer.encode(`Task Instruction: ${text}`));
        expect([ids[0], ids.at(-1)]).toEqual([0, 2]);
      }),
    );
  });

  test('fits, up to the last token', () => {
    const { length } = promptIds(tokenizer, reading, 'open the top drawer');
    expect(promptIds(tokenizer, { ...reading, max_text: length }, 'open the top drawer')).toHaveLength(length);
    expect(() => promptIds(tokenizer, { ...reading, max_text: length - 1 }, 'open the top drawer')).toThrow(
      `The instruction "open the top drawer" is ${length} tokens with its prompt, and this policy reads at most ${length - 1}. ` +
        'Say it shorter, or train or import with a larger max_text: no weight depends on it.',
    );
  });

  test.each(['', ' ', '\t\n'])('that says nothing is refused: %j', (text) => {
    expect(() => promptIds(tokenizer, reading, text)).toThrow(
      `The instruction ${JSON.stringify(text)} says nothing: wanted what to do, in words.`,
    );
  });

  test('that spells a token beyond the embedding is refused', () => {
    expect(() => promptIds(tokenizer, { ...reading, vocabulary: 382 }, 'go <Flow>')).toThrow(
      'The instruction "go <Flow>" spells the token 382, and the embedding has 382 rows.',
    );
  });
});
