import fc from 'fast-check';
import { expect, test } from 'vitest';
import { learnTokenizer } from './bpe.ts';
import { openTokenizer } from './words.ts';

const BYTES_AND_SPECIALS = 256 + 4;
/** Anything that JavaScript can hold, halves of characters too; but not the names of the four specials. */
const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom(' ', 'a', 'b', "'", '\n', '_', '7', 'é'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    fc.constant('\ud83e'),
  ),
});
const texts = fc.array(text, { maxLength: 6 });
const mergesOf = (json: string): [string, string][] => JSON.parse(json).model.merges;

test('the most frequent pairs become tokens, the first of equals before the others', () => {
  const json = learnTokenizer(['low low low', 'Lower lower', 'newest', 'wide'], BYTES_AND_SPECIALS + 5);
  // 'lo' and 'ow' five times each, as 'Ġl'; 'lo' is the first of them.
  expect(mergesOf(json).map((pair) => pair.join('+'))).toEqual(['l+o', 'lo+w', 'Ġ+low', 'e+r', 'Ġlow+er']);
  const { id, size, encode } = openTokenizer(json);
  expect([id('<s>'), id('<pad>'), id('</s>'), id('<unk>'), size]).toEqual([0, 1, 2, 3, 265]);
  expect(encode('LOWER low')).toEqual([0, id('Ġlower'), id('Ġlow'), 2]);
});

test('any text has ids, none of them <unk>, whatever was learned from', () => {
  fc.assert(
    fc.property(texts, text, fc.integer({ min: BYTES_AND_SPECIALS, max: 300 }), (learned, said, size) => {
      const json = learnTokenizer(learned, size);
      const tokenizer = openTokenizer(json);
      expect(tokenizer.size).toBeLessThanOrEqual(size);
      const letters = Object.keys(JSON.parse(json).model.vocab);
      expect(new Set(letters).size).toBe(tokenizer.size);
      for (const some of [...learned, said]) {
        const ids = tokenizer.encode(some);
        expect([ids[0], ids.at(-1)]).toEqual([0, 2]);
        for (const id of ids.slice(1, -1)) expect(id >= 4 && id < tokenizer.size).toBe(true);
      }
    }),
  );
});

test('where there is room, each word that was learned is one token', () => {
  const word = fc.stringMatching(/^[a-zé日]{1,8}$/);
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const { encode } = openTokenizer(learnTokenizer([words.join(' '), ...words], 10_000));
      for (const one of words) expect(encode(one)).toHaveLength(3);
      expect(encode(words.join(' '))).toHaveLength(words.length + 2);
    }),
  );
});

test('texts are cut into words where their reader cuts them', () => {
  const text = "It's  the 2nd cup, ok!\n";
  const { encode } = openTokenizer(learnTokenizer([text], 10_000));
  // it 's _ the 2 nd cup , ok ! newline
  expect(encode(text)).toHaveLength(11 + 2);
});

test('the order of the texts changes nothing', () => {
  fc.assert(
    fc.property(texts, (learned) => {
      expect(learnTokenizer(learned.toReversed(), 300)).toBe(learnTokenizer(learned, 300));
    }),
  );
});
