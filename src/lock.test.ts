import { execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { lockDirectory } from './lock.ts';

const disk = vi.hoisted(() => ({ full: false }));
vi.mock('node:fs', async (original) => {
  const actual = await original<typeof import('node:fs')>();
  const writeFileSync: typeof actual.writeFileSync = (file, data, options) => {
    actual.writeFileSync(file, disk.full ? '' : data, options);
    if (disk.full) throw Object.assign(new Error('write'), { code: 'ENOSPC' });
  };
  return { ...actual, writeFileSync };
});

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'lock-'));
});
afterEach(() => {
  disk.full = false;
  fs.rmSync(dir, { recursive: true, force: true });
});

const forge = (holder: object) =>
  fs.writeFileSync(
    path.join(dir, '.lock'),
    JSON.stringify({ host: os.hostname(), token: 'x', started: '', ...holder }),
  );

test('a second lock names the holder; after disposal the folder is free, and gone if nothing was written', () => {
  const lock = lockDirectory(dir);
  expect(lock.notice).toBeUndefined();
  expect(() => lockDirectory(dir)).toThrow(`${dir} is in use by process ${process.pid}`);
  lock[Symbol.dispose]();
  expect(fs.existsSync(dir)).toBe(false);
  const again = lockDirectory(dir);
  fs.writeFileSync(path.join(dir, 'result'), '');
  again[Symbol.dispose]();
  expect(fs.readdirSync(dir)).toEqual(['result']);
});

test('the lock of a dead process is taken over, and said so', () => {
  const pid = Number(execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }));
  forge({ pid });
  using lock = lockDirectory(dir);
  expect(lock.notice).toContain(`from process ${pid}, which is gone`);
});

test('a live process with a reused id is not the holder', () => {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)']);
  try {
    forge({ pid: child.pid, started: 'long ago' });
    using lock = lockDirectory(dir);
    expect(lock.notice).toContain('which is gone');
  } finally {
    child.kill();
  }
});

test('a lock of another machine is never taken over', () => {
  forge({ pid: 1, host: 'elsewhere' });
  expect(() => lockDirectory(dir)).toThrow(/process 1 on elsewhere.*delete .*\.lock/);
});

test('a lock file that is not ours does not block, and a late release leaves a new owner alone', () => {
  fs.writeFileSync(path.join(dir, '.lock'), '');
  const first = lockDirectory(dir);
  fs.rmSync(path.join(dir, '.lock'));
  using second = lockDirectory(dir);
  first[Symbol.dispose]();
  expect(() => lockDirectory(dir)).toThrow('in use');
  expect(second.notice).toBeUndefined();
});

test('a full disk leaves neither a draft nor a folder made for it', () => {
  const fresh = path.join(dir, 'fresh');
  disk.full = true;
  expect(() => lockDirectory(fresh)).toThrow(`Could not write to ${fresh}: the disk is full`);
  expect(() => lockDirectory(dir)).toThrow('the disk is full');
  expect(fs.readdirSync(dir)).toEqual([]);
});

test('of two that find the same dead process, the later one does not remove the lock of the earlier', () => {
  forge({ pid: 1 });
  let rival: ReturnType<typeof lockDirectory> | undefined;
  const gone = () => {
    throw Object.assign(new Error('kill'), { code: 'ESRCH' });
  };
  // The rival takes over after this one has read the dead holder, and before it acts on it.
  const kill = vi.spyOn(process, 'kill').mockImplementationOnce(() => {
    kill.mockImplementationOnce(gone);
    rival = lockDirectory(dir);
    return gone();
  });
  try {
    expect(() => lockDirectory(dir)).toThrow(`in use by process ${process.pid}`);
  } finally {
    kill.mockRestore();
  }
  expect(rival?.notice).toContain('which is gone');
  expect(fs.readdirSync(dir)).toEqual(['.lock']);
  expect(() => lockDirectory(dir)).toThrow('in use');
  rival?.[Symbol.dispose]();
  expect(fs.existsSync(dir)).toBe(false);
});
