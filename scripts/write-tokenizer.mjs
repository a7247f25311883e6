// Writes the tokenizer of florence2-nano, learned from the texts of scripts/florence2-nano-words.txt, to
// pretrained/florence2-nano/tokenizer.json or the file that is named. Run `npm run build` before.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { learnTokenizer } from '../dist/encoders/florence2/bpe.js';

/** Tokens, specials and bytes included; the embedding of florence2-nano has 1,024 rows. */
const SIZE = 1000;

const root = path.dirname(import.meta.dirname);
const [file = path.join(root, 'pretrained/florence2-nano/tokenizer.json')] = process.argv.slice(2);
const lines = fs.readFileSync(path.join(root, 'scripts/florence2-nano-words.txt'), 'utf8').split('\n');
const texts = lines.filter((line) => line !== '' && !line.startsWith('#'));
fs.mkdirSync(path.dirname(file), { recursive: true });
fs.writeFileSync(file, learnTokenizer(texts, SIZE));
