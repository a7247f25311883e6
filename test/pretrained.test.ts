/** What ships of florence2-nano is what its sources make, and does for the simulator's words. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openTokenizer } from '../src/encoders/florence2/words.ts';
import { FIXTURES } from '../src/sim/fixtures.ts';
import { OBJECTS } from '../src/sim/objects.ts';
import { loadSuite } from '../src/sim/suites.ts';
import { SUITES } from '../src/sim/task.ts';

const root = path.dirname(import.meta.dirname);
const file = path.join(root, 'pretrained/florence2-nano/tokenizer.json');
const tokenizer = openTokenizer(fs.readFileSync(file, 'utf8'));

test('the tokenizer is what the script makes of its words, bit for bit', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nina-tokenizer-'));
  const made = path.join(folder, 'tokenizer.json');
  execFileSync(process.execPath, [path.join(root, 'scripts/write-tokenizer.mjs'), made]);
  expect(fs.readFileSync(made).equals(fs.readFileSync(file))).toBe(true);
  fs.rmSync(folder, { recursive: true });
});

test('each word of the suites and of the categories is one token, and no instruction is longer than florence2-nano reads', () => {
  const instructions = SUITES.flatMap((suite) => loadSuite(suite).map((task) => task.instruction));
  const categories = [...Object.keys(OBJECTS), ...Object.keys(FIXTURES)].map((name) => name.replaceAll('_', ' '));
  for (const text of [...instructions, ...categories]) {
    const ids = tokenizer.encode(text);
    expect(`${text}: ${ids.length}`).toBe(`${text}: ${text.split(' ').length + 2}`);
    expect(ids.length).toBeLessThanOrEqual(32);
  }
});

test('any text has ids that the embedding has rows for, and none is <unk>', () => {
  expect(tokenizer.size).toBeLessThanOrEqual(1024);
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.lorem()), (text) => {
      for (const id of tokenizer.encode(text).slice(1, -1)) expect(id >= 4 && id < tokenizer.size).toBe(true);
    }),
  );
});
