/** Folders of demonstrations: every real file once, whatever leads to it; nothing hangs and nothing is passed over silently. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { demonstrationFiles } from '../../src/data/index.ts';
import { message } from './message.ts';
import { workshop } from './opened.ts';

const { at } = workshop('walk');
let n = 0;
let root: string;
beforeEach(() => {
  root = at(`${n++}`);
  fs.mkdirSync(root);
});
const file = (name: string) => {
  fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
  fs.writeFileSync(path.join(root, name), name);
};
const link = (target: string, name: string) => fs.symlinkSync(target, path.join(root, name));
/** Names found in the root, or in `sources` of it. */
const found = (...sources: string[]) =>
  demonstrationFiles(sources.length > 0 ? sources.map((name) => path.join(root, name)) : root).map((name) =>
    path.relative(root, name),
  );

test('the .hdf5 files of a folder and its subfolders, in the order of their names', () => {
  for (const name of ['b.hdf5', 'a/z.hdf5', 'a.hdf5', 'c/d/e.hdf5', 'notes.txt', 'x.hdf5/inner.hdf5']) file(name);
  expect(found()).toEqual(['a.hdf5', 'a/z.hdf5', 'b.hdf5', 'c/d/e.hdf5', 'x.hdf5/inner.hdf5']);
});

test('links to folders and files lead to each file once', () => {
  for (const name of ['real/a.hdf5', 'real/b.hdf5']) file(name);
  link('.', 'loop');
  link('..', 'real/up');
  link('real', 'again');
  link('real/a.hdf5', 'a-link.hdf5');
  expect(found()).toEqual(['real/a.hdf5', 'real/b.hdf5']);
  fs.linkSync(path.join(root, 'real/b.hdf5'), path.join(root, 'zz.hdf5'));
  expect(found()).toEqual(['real/a.hdf5', 'real/b.hdf5']);
  expect(found('real/b.hdf5', 'again', 'loop/real/a.hdf5', 'real')).toEqual(['real/b.hdf5', 'again/a.hdf5']);
});

test('a folder may hold nothing but links', () => {
  for (const name of ['store/a.hdf5', 'store/b.hdf5', 'chosen/notes.txt']) file(name);
  link('../store/b.hdf5', 'chosen/two.hdf5');
  link('../store/a.hdf5', 'chosen/one.hdf5');
  expect(found('chosen')).toEqual(['chosen/one.hdf5', 'chosen/two.hdf5']);
});

test('hidden files and folders are no demonstrations, unless they are named', () => {
  for (const name of ['a.hdf5', '._a.hdf5', '.cache/b.hdf5']) file(name);
  expect(found()).toEqual(['a.hdf5']);
  expect(found('.cache')).toEqual(['.cache/b.hdf5']);
  expect(found('._a.hdf5')).toEqual(['._a.hdf5']);
});

test('links that lead nowhere and what is no file are told', async () => {
  file('a.hdf5');
  link('gone.hdf5', 'b.hdf5');
  expect(await message(() => found())).toContain('b.hdf5 is a symbolic link to gone.hdf5, which is not there');
  fs.rmSync(path.join(root, 'b.hdf5'));
  link('/mnt/gone', 'more');
  expect(await message(() => found())).toContain('more is a symbolic link to /mnt/gone, which is not there');
  fs.rmSync(path.join(root, 'more'));
  link('c.hdf5', 'c.hdf5');
  expect(await message(() => found())).toContain('c.hdf5 is a symbolic link that leads back to itself');
  expect(await message(() => found('c.hdf5'))).toContain('c.hdf5 is a symbolic link that leads back to itself');
  fs.rmSync(path.join(root, 'c.hdf5'));
  link('gone.txt', 'notes.txt');
  expect(found()).toEqual(['a.hdf5']);
  execFileSync('mkfifo', [path.join(root, 'pipe.hdf5')]);
  expect(await message(() => found())).toContain('pipe.hdf5 is a FIFO, not a file');
  expect(await message(() => demonstrationFiles('/dev/null'))).toContain('/dev/null is a device, not a file');
  expect(await message(() => found('gone'))).toContain('gone does not exist');
});
