import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NinaError } from './errors.ts';
import {
  draftOf,
  fileError,
  makeFolder,
  realPath,
  removeFolder,
  requireFile,
  sweepDrafts,
  writeAtomically,
  writeFileAtomically,
} from './files.ts';

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

test('a folder is removed at once, with all that it holds', () => {
  const folder = path.join(dir, '40');
  fs.mkdirSync(path.join(folder, 'inner'), { recursive: true });
  fs.writeFileSync(path.join(folder, 'inner', 'file'), '');
  removeFolder(folder);
  removeFolder(folder);
  expect(fs.readdirSync(dir)).toEqual([]);
  // What a kill between its two steps leaves.
  fs.mkdirSync(draftOf(`${folder}.old`));
  sweepDrafts(dir);
  expect(fs.readdirSync(dir)).toEqual([]);
});

test('links are followed and stay; what is no file is refused and stays, too', () => {
  const at = (name: string) => path.join(dir, name);
  fs.writeFileSync(at('target'), 'old');
  fs.symlinkSync('target', at('link'));
  fs.symlinkSync('link', at('chain'));
  fs.symlinkSync(path.join('absent', 'file'), at('dangling'));
  writeFileAtomically(at('chain'), 'new');
  expect(fs.readFileSync(at('target'), 'utf8')).toBe('new');
  writeFileAtomically(at('dangling'), 'x');
  expect(fs.readFileSync(at(path.join('absent', 'file')), 'utf8')).toBe('x');
  fs.symlinkSync('b', at('a'));
  fs.symlinkSync('a', at('b'));
  expect(() => writeFileAtomically(at('a'), '')).toThrow('its symbolic links lead in a circle');
  fs.mkdirSync(at('folder'));
  expect(() => writeFileAtomically(at('folder'), '')).toThrow('it is a folder, and a file is wanted there');
  execFileSync('mkfifo', [at('fifo')]);
  expect(() => writeFileAtomically(at('fifo'), '')).toThrow('it is a FIFO, and a file is wanted there');
  expect(() => writeFileAtomically('/dev/null', '')).toThrow('it is a device, and a file is wanted there');
  expect(fs.statSync('/dev/null').isCharacterDevice()).toBe(true);
  const entries = ['a', 'absent', 'b', 'chain', 'dangling', 'fifo', 'folder', 'link', 'target'];
  expect(fs.readdirSync(dir).sort()).toEqual(entries);
  expect(entries.filter((name) => fs.lstatSync(at(name)).isSymbolicLink())).toEqual([
    'a',
    'b',
    'chain',
    'dangling',
    'link',
  ]);
});

test('a name as long as the file system allows can be written', () => {
  const long = path.join(dir, 'ä'.repeat(127));
  writeFileAtomically(long, 'x');
  expect(fs.readdirSync(dir)).toHaveLength(1);
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
  ['EISDIR', /it is a folder, and a file is wanted/],
  ['ENOTDIR', /a part of the path is a file/],
  ['EEXIST', /a file of that name is in the way/],
  ['ENAMETOOLONG', /the name is too long/],
  ['ELOOP', /lead in a circle/],
])('%s becomes a sentence', (code, sentence) => {
  const error = fileError('Could not write x', Object.assign(new Error(code), { code }));
  expect(error).toBeInstanceOf(NinaError);
  expect((error as NinaError).message).toMatch(sentence);
});

test('other errors pass unchanged', () => {
  const defect = new TypeError('a defect');
  expect(fileError('Could not write x', defect)).toBe(defect);
});

test('a path is followed through links as the system does, also when it ends at nothing', () => {
  const at = (...names: string[]) => path.join(fs.realpathSync(dir), ...names);
  fs.mkdirSync(at('a', 'inner'), { recursive: true });
  fs.symlinkSync('a/inner', at('link'));
  fs.symlinkSync('link/new', at('ahead'));
  fs.symlinkSync('circle', at('circle'));
  expect(realPath(at('ahead'))).toBe(at('a', 'inner', 'new'));
  expect(realPath(`${dir}/link/../new/x`)).toBe(at('a', 'new', 'x'));
  expect(() => realPath(at('circle'))).toThrow('ELOOP');
  writeFileAtomically(`${dir}/link/../b`, 'text');
  expect(fs.readdirSync(at('a'))).toEqual(['b', 'inner']);
});

test('a folder is made with those above it; a file in the way is told as that', () => {
  expect(makeFolder(path.join(dir, 'a', 'b'))).toBe(path.join(dir, 'a'));
  expect(makeFolder(path.join(dir, 'a', 'b'))).toBeUndefined();
  fs.writeFileSync(path.join(dir, 'file'), '');
  expect(() => makeFolder(path.join(dir, 'file', 'c'))).toThrow('ENOTDIR');
});

test('a FIFO is refused before it is opened: reading it would wait for ever', () => {
  const fifo = path.join(dir, 'fifo');
  execFileSync('mkfifo', [fifo]);
  expect(() => requireFile(fifo)).toThrow(`Could not read ${fifo}: it is a FIFO, and a file is wanted.`);
  requireFile(path.join(dir, 'nothing'));
});
