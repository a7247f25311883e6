import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NinaError } from './errors.ts';
import { draftOf, fileError, sweepDrafts, writeAtomically, writeFileAtomically } from './files.ts';

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'files-'));
});
afterEach(() => fs.rmSync(dir, { recursive: true }));

test('a file is replaced whole, folders are made, nothing else stays', () => {
  const file = path.join(dir, 'a', 'b.txt');
  writeFileAtomically(file, 'one');
  writeFileAtomically(file, 'two');
  expect(fs.readFileSync(file, 'utf8')).toBe('two');
  expect(fs.readdirSync(path.dirname(file))).toEqual(['b.txt']);
});

test('a failure half-way leaves the old content and no draft', () => {
  const file = path.join(dir, 'b.txt');
  writeFileAtomically(file, 'old');
  const fail = () =>
    writeAtomically(file, (draft) => {
      fs.writeFileSync(draft, 'ne');
      throw Object.assign(new Error('write'), { code: 'ENOSPC' });
    });
  expect(fail).toThrow(`Could not write ${file}: the disk is full. Free some space and run the same command again.`);
  expect(fs.readFileSync(file, 'utf8')).toBe('old');
  expect(fs.readdirSync(dir)).toEqual(['b.txt']);
});

test('drafts of killed processes are swept, files and folders, and nothing else', () => {
  const checkpoints = path.join(dir, 'checkpoints');
  fs.mkdirSync(path.join(checkpoints, '.50.4321.tmp'), { recursive: true });
  fs.writeFileSync(path.join(checkpoints, '.50.4321.tmp', 'config.json'), '');
  fs.mkdirSync(path.join(checkpoints, '40'));
  fs.writeFileSync(draftOf(path.join(dir, 'state.safetensors')), '');
  const kept = ['.lock', '.mine.tmp', 'a.1.tmp', 'checkpoints', 'state.safetensors'];
  for (const name of kept.filter((entry) => entry !== 'checkpoints')) fs.writeFileSync(path.join(dir, name), '');
  sweepDrafts(dir);
  expect(fs.readdirSync(dir).sort()).toEqual(kept);
  expect(fs.readdirSync(checkpoints)).toEqual(['.50.4321.tmp', '40']);
  sweepDrafts(checkpoints, path.join(dir, 'absent'));
  expect(fs.readdirSync(checkpoints)).toEqual(['40']);
});

test.each([
  ['ENOSPC', /the disk is full/],
  ['EDQUOT', /more than you may write/],
  ['EFBIG', /ulimit -f/],
  ['EACCES', /permission denied/],
  ['EROFS', /permission denied/],
  ['ENOENT', /no such file or folder/],
])('%s becomes a sentence', (code, sentence) => {
  const error = fileError('Could not write x', Object.assign(new Error(code), { code }));
  expect(error).toBeInstanceOf(NinaError);
  expect((error as NinaError).message).toMatch(sentence);
});

test('other errors pass unchanged', () => {
  const defect = new TypeError('a defect');
  expect(fileError('Could not write x', defect)).toBe(defect);
});
