import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { defaultFolder } from './eval.ts';

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'eval-'));
});
afterEach(() => fs.rmSync(dir, { recursive: true }));

/** As much of a checkpoint as tells where one is. */
function checkpoint(...names: string[]): string {
  const directory = path.join(dir, ...names);
  fs.mkdirSync(directory, { recursive: true });
  fs.writeFileSync(path.join(directory, 'manifest.json'), '{}');
  return directory;
}

test('results never lie in a checkpoint that training will remove', async () => {
  const run = path.join(dir, 'run');
  const old = checkpoint('run', 'checkpoints', '50');
  checkpoint('run', 'checkpoints', '100');
  expect(await defaultFolder(run, 'suite')).toBe(path.join(run, 'eval', 'suite'));
  expect(await defaultFolder(old, 'suite')).toBe(path.join(run, 'eval', '50-suite'));
  expect(await defaultFolder(`${old}/`, 'suite')).toBe(path.join(run, 'eval', '50-suite'));
  const relative = path.relative(process.cwd(), old);
  expect(path.resolve(await defaultFolder(relative, 'suite'))).toBe(path.join(run, 'eval', '50-suite'));
});

test('a run in a folder named checkpoints is a run, and the results of a checkpoint outside any run lie beside it', async () => {
  checkpoint('checkpoints', 'mine', 'checkpoints', '50');
  const run = path.join(dir, 'checkpoints', 'mine');
  expect(await defaultFolder(run, 'suite')).toBe(path.join(run, 'eval', 'suite'));
  const lone = checkpoint('copied');
  expect(await defaultFolder(lone, 'suite')).toBe(path.join(dir, 'eval', 'copied-suite'));
});

test('a link to a checkpoint stands for it', async () => {
  const best = path.join(dir, 'best');
  fs.symlinkSync(checkpoint('run', 'checkpoints', '50'), best);
  expect(await defaultFolder(best, 'suite')).toBe(path.join(dir, 'run', 'eval', '50-suite'));
  fs.symlinkSync(path.join(dir, 'run'), path.join(dir, 'latest'));
  expect(await defaultFolder(path.join(dir, 'latest'), 'suite')).toBe(path.join(dir, 'latest', 'eval', 'suite'));
});

test('what is neither is said before anything is written', async () => {
  await expect(defaultFolder(dir, 'suite')).rejects.toThrow('is no checkpoint');
});
