/** Words of any script: what looks different sounds different, what is the same text sounds the same. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PANDA } from '../../robot/index.ts';
import { stateEncoder, tokenise } from './index.ts';
import { scene } from './scene.ts';
import { requireWords } from './words.ts';

const settings = stateEncoder.settings.parse({ dim: 16, heads: 2 });
const configFor = (episodes: readonly { instruction: string; categories: readonly string[] }[]) =>
  stateEncoder.configure(settings, { episodes: episodes.map((one) => ({ where: 'demo', ...one })), robot: PANDA });

test.each([
  ['café au lait', ['café', 'au', 'lait']],
  ['Подними красную кружку!', ['подними', 'красную', 'кружку']],
  ['ΟΔΟΣ', ['οδος']],
  ['ارفع الكوب الأحمر', ['ارفع', 'الكوب', 'الأحمر']],
  ['הרם את הספל', ['הרם', 'את', 'הספל']],
  ['컵을 집어', ['컵을', '집어']],
  ['拿起红色的碗。', ['拿', '起', '红', '色', '的', '碗']],
  ['赤いカップ', ['赤', 'い', 'カ', 'ッ', 'プ']],
  ['cup杯2つ', ['cup', '杯', '2', 'つ']],
  ['ยกถ้วย', ['ย', 'ก', 'ถ้', 'ว', 'ย']],
  ['कप उठाओ', ['कप', 'उठाओ']],
  ['Ｐｉｃｋ　１２', ['pick', '12']],
  ['ｶｯﾌﾟ', ['カ', 'ッ', 'プ']],
  ['soft\u00adhyphen', ['softhyphen']],
  ['می‌خواهم', ['میخواهم']],
  ['put it → there', ['put', 'it', '→', 'there']],
  ['take the 🍎', ['take', 'the', '🍎']],
  ['❤️ ❤', ['❤', '❤']],
  ['👩‍🚀🇩🇪', ['👩‍🚀', '🇩', '🇪']],
  ['‼️', ['‼']],
  ['a+b = c, "d"', ['a', 'b', 'c', 'd']],
  ['。，！ …', []],
])('%s', (text, words) => {
  expect(tokenise(text)).toEqual(words.map((word) => word.normalize('NFC')));
});

test('plain ASCII: runs of a-z and 0-9, as ever', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii' }), (text) => {
      expect(tokenise(text)).toEqual(text.toLowerCase().match(/[a-z0-9]+/g) ?? []);
    }),
  );
});

/** Letters of many scripts with their marks, apart from what Unicode's forms change on purpose. */
const script = fc.constantFrom(
  ...[
    'a',
    'Z',
    '7',
    'é',
    'ñ',
    'ü',
    'ß',
    'ж',
    'Й',
    'λ',
    'ה',
    'שׁ',
    'ع',
    'ﻼ',
    'क',
    'कि',
    'ก',
    'ก้',
    '碗',
    'が',
    'ガ',
    '한',
    '각',
    'ệ',
    'ệ',
  ],
);
const phrase = fc.array(script, { minLength: 1, maxLength: 8 }).map((letters) => letters.join(''));

test('composed and decomposed, full-width and plain are one', () => {
  fc.assert(
    fc.property(phrase, (text) => {
      const words = tokenise(text);
      for (const form of ['NFC', 'NFD', 'NFKC', 'NFKD'] as const) expect(tokenise(text.normalize(form))).toEqual(words);
      // Words are their own words: what a vocabulary holds, a policy finds again.
      for (const word of words) expect(tokenise(word)).toEqual([word]);
    }),
  );
  const wide = (text: string) => text.replace(/[!-~]/g, (c) => String.fromCodePoint(c.codePointAt(0)! + 0xfee0));
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'abcXYZ019_ ') }), (text) => {
      expect(tokenise(wide(text))).toEqual(tokenise(text));
    }),
  );
});

test('a letter, digit, symbol or emoji more is another instruction', () => {
  const visible = fc.oneof(
    script,
    fc.constantFrom('→', '←', '↑', '🍎', '🍏', '👍', '👍🏽', '🇩🇪', '🇫🇷', '👩‍🚀', '№', '°', '√', '€', '①'),
  );
  fc.assert(
    fc.property(phrase, visible, visible, (text, one, other) => {
      const [a, b] = [tokenise(`${text} ${one}`), tokenise(`${text} ${other}`)];
      expect(a.length).toBeGreaterThan(tokenise(text).length);
      const same = one.normalize('NFKC').toLowerCase() === other.normalize('NFKC').toLowerCase();
      expect(a.join(' ') === b.join(' ')).toBe(same);
    }),
  );
});

test('two instructions of one scene are two conditions, and a word that was never seen is named', () => {
  const scenes = ['拿起红碗', '拿起蓝碗'].map((instruction) => ({ instruction, categories: ['碗', 'plate'] }));
  const config = configFor(scenes);
  expect(config).toMatchObject({ max_words: 4, words: ['plate', '拿', '碗', '红', '蓝', '起'] });
  const [red, blue] = scenes.map(({ instruction, categories }) => scene(config, categories, instruction).words);
  expect(red).not.toEqual(blue);
  expect(() => scene(config, ['碗'], '拿起绿碗')).toThrow('The policy never saw the word "绿" of "拿起绿碗"');
});

test('an instruction or category without words is refused by name', () => {
  const config = configFor([{ instruction: 'put', categories: ['can', 'can'] }]);
  expect(() => scene(config, ['can'], '?!')).toThrow('The instruction "?!" holds no word');
  expect(() => scene(config, ['can', '...'], 'put')).toThrow('The category "..." holds no word');
  expect(() => requireWords({ instruction: ' ', categories: [] }, 'a.hdf5#demo_0')).toThrow(
    'a.hdf5#demo_0: the instruction " " holds no word, so a policy cannot tell it from any other',
  );
});
