import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Lock, lockDirectory } from './lock.ts';
import { thisProcess } from './lock-holder.ts';

const disk = vi.hoisted(() => ({ full: false }));
vi.mock('node:fs', async (original) => {
  const actual = await original<typeof import('node:fs')>();
  const writeFileSync: typeof actual.writeFileSync = (file, data, options) => {
    actual.writeFileSync(file, disk.full ? '' : data, options);
    if (disk.full) throw Object.assign(new Error('write'), { code: 'ENOSPC' });
  };
  return { ...actual, writeFileSync };
});

/** Short enough for tests, long enough for a busy machine: a renewal may be late by a second and a half. */
const QUICK = { renewMs: 100, leaseMs: 1_600 };

let dir: string;
const notices: string[] = [];
const tell = (notice: string) => notices.push(notice);
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'lock-'));
  notices.length = 0;
});
afterEach(() => {
  disk.full = false;
  fs.rmSync(dir, { recursive: true, force: true });
});

const file = () => path.join(dir, '.lock');
const forge = (holder: object) =>
  fs.writeFileSync(file(), JSON.stringify({ host: os.hostname(), token: 'x', started: 'then', ...holder }));
const goneProcess = () => Number(execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }));

test('a second lock names the holder; after disposal the folder is free, and gone if nothing was written', async () => {
  const lock = await lockDirectory(dir, tell);
  await expect(lockDirectory(dir)).rejects.toThrow(`${dir} is in use by process ${process.pid}`);
  lock.check();
  lock[Symbol.dispose]();
  lock[Symbol.dispose]();
  expect(fs.existsSync(dir)).toBe(false);
  const again = await lockDirectory(dir, tell);
  fs.writeFileSync(path.join(dir, 'result'), '');
  again[Symbol.dispose]();
  expect(fs.readdirSync(dir)).toEqual(['result']);
  expect(notices).toEqual([]);
});

test('the lock of a dead process is taken over, and said so', async () => {
  const pid = goneProcess();
  forge({ pid });
  using _ = await lockDirectory(dir, tell);
  expect(notices).toEqual([`Took over ${dir} from process ${pid}, which is gone.`]);
});

test('a live process with a reused id is not the holder', async () => {
  forge({ pid: process.pid, started: 'long ago' });
  using _ = await lockDirectory(dir, tell);
  expect(notices[0]).toContain('which is gone');
});

describe('a holder that this kernel does not know', () => {
  const elsewhere = { pid: 1, host: 'elsewhere', boot: 'another kernel', pids: 'pid:[1]' };

  test('is refused while it renews its lock, and taken over when it does not', async () => {
    forge(elsewhere);
    const renewing = setInterval(() => fs.utimesSync(file(), new Date(), new Date()), QUICK.renewMs);
    await expect(lockDirectory(dir, tell, QUICK)).rejects.toThrow(`${dir} is in use by process 1 on elsewhere.`);
    clearInterval(renewing);
    using _ = await lockDirectory(dir, tell, QUICK);
    expect(notices.at(-1)).toBe(`Took over ${dir} from process 1, which is gone.`);
    expect(notices[0]).toMatch(/was last used by process 1 on elsewhere. Looking for up to 2 s whether it still is/);
  });

  test('of several that find it gone at the same time, one takes over', async () => {
    forge(elsewhere);
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => lockDirectory(dir, tell, QUICK)));
    const taken = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(taken).toHaveLength(1);
    expect(notices.filter((notice) => notice.startsWith('Took over'))).toHaveLength(1);
    taken[0].check();
    expect(fs.readdirSync(dir)).toEqual(['.lock']);
    taken[0][Symbol.dispose]();
    expect(fs.existsSync(dir)).toBe(false);
  });
});

test('a lock renews itself while its own thread is busy', async () => {
  using _ = await lockDirectory(dir, tell, QUICK);
  await sleep(5 * QUICK.renewMs); // its thread has started
  const before = fs.statSync(file()).mtimeMs;
  const end = performance.now() + 5 * QUICK.renewMs;
  while (performance.now() < end);
  expect(fs.statSync(file()).mtimeMs).toBeGreaterThan(before);
});

test('a holder whose lock was taken over, or removed, notices before it writes', async () => {
  const slow = await lockDirectory(dir, tell);
  forge({ pid: 7, host: 'elsewhere' });
  expect(() => slow.check()).toThrow(/no longer this process' own: process 7 on elsewhere took it over/);
  slow[Symbol.dispose]();
  expect(fs.existsSync(file())).toBe(true); // the new owner's
  fs.rmSync(file());
  expect(() => slow.check()).toThrow(/its file .lock was removed/);
});

test('a lock file that is not ours does not block, and a late release leaves a new owner alone', async () => {
  fs.writeFileSync(file(), '');
  const first = await lockDirectory(dir, tell);
  fs.rmSync(file());
  using _second = await lockDirectory(dir, tell);
  first[Symbol.dispose]();
  await expect(lockDirectory(dir)).rejects.toThrow('in use');
});

test('a full disk leaves neither a lock nor a folder made for it', async () => {
  const fresh = path.join(dir, 'fresh');
  disk.full = true;
  await expect(lockDirectory(fresh)).rejects.toThrow(`Could not write to ${fresh}: the disk is full`);
  await expect(lockDirectory(dir)).rejects.toThrow('the disk is full');
  expect(fs.readdirSync(dir)).toEqual([]);
});

test('a file where a folder is wanted is said, at any place of the path', async () => {
  fs.writeFileSync(path.join(dir, 'taken'), 'x');
  for (const name of ['taken', 'taken/run'])
    await expect(lockDirectory(path.join(dir, name))).rejects.toThrow(/Could not make the folder .*taken.*: /);
  expect(fs.readFileSync(path.join(dir, 'taken'), 'utf8')).toBe('x');
});

/** Containers, as far as they matter here: processes with names and numbers of their own over one folder. */
describe('other containers', () => {
  const script = path.join(import.meta.dirname, '../dist/lock.js');
  const code = `import { lockDirectory } from ${JSON.stringify(`file://${script}`)};
    const lock = await lockDirectory(process.argv[1], (text) => console.log(text));
    console.log('locked');
    setInterval(() => lock.check(), 100);`;
  const holdIn = (namespaces: string[]): ChildProcess =>
    spawn('unshare', [...namespaces, process.execPath, '--input-type=module', '-e', code, dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
  const locked = async (child: ChildProcess) => {
    let text = '';
    for await (const piece of child.stdout!) {
      text += piece;
      if (text.includes('locked')) return text;
    }
    return text;
  };
  const kill = async (child: ChildProcess, signal: NodeJS.Signals) => {
    process.kill(-child.pid!, signal);
    if (signal === 'SIGKILL') await once(child, 'exit');
  };
  /** The kernel needs a moment to take down what was killed. */
  const oncePossible = async (lock: () => Promise<Lock>): Promise<Lock> => {
    for (let tries = 100; ; tries--) {
      try {
        return await lock();
      } catch (error) {
        if (tries === 0) throw error;
        await sleep(50);
      }
    }
  };
  const PIDS = ['-rpf', '--mount-proc', '--kill-child'];
  const possible = spawnSync('unshare', [...PIDS, 'true']).status === 0;

  // Needs user namespaces. One process id namespace for each, the same host name: process 1 and process 1.
  test.skipIf(!possible)(
    'a live holder is refused, also one that stands still; a killed one is not waited for',
    async () => {
      const first = holdIn(PIDS);
      await locked(first);
      expect(JSON.parse(fs.readFileSync(file(), 'utf8')).pid).toBeLessThan(10);
      await expect(lockDirectory(dir, tell)).rejects.toThrow('is in use by process');
      await kill(first, 'SIGSTOP');
      await expect(lockDirectory(dir, tell)).rejects.toThrow('is in use by process');
      await kill(first, 'SIGKILL');
      using lock: Lock = await oncePossible(() => lockDirectory(dir, tell));
      expect(notices).toEqual([expect.stringMatching(/^Took over .* which is gone\.$/)]);
      lock.check();
    },
  );

  test.skipIf(!possible)('a container that comes back under another host name goes on', async () => {
    const child = holdIn(['-ru']);
    await locked(child);
    forge({ ...JSON.parse(fs.readFileSync(file(), 'utf8')), host: 'one' });
    await expect(lockDirectory(dir, tell)).rejects.toThrow('on one');
    await kill(child, 'SIGKILL');
    using _ = await oncePossible(() => lockDirectory(dir, tell));
    expect(notices).toHaveLength(1);
  });

  test('without the command flock, a lock is kept and told by its renewal', async () => {
    const { env } = process;
    vi.stubEnv('PATH', dir); // where no commands are
    using lock = await lockDirectory(dir, tell, QUICK);
    vi.stubEnv('PATH', env.PATH);
    const holder = JSON.parse(fs.readFileSync(file(), 'utf8'));
    expect(holder).toMatchObject({ kernel: false, boot: thisProcess().boot });
    // As another process namespace of this machine sees it.
    fs.writeFileSync(file(), JSON.stringify({ ...holder, pids: 'pid:[1]' }));
    await expect(lockDirectory(dir, tell, QUICK)).rejects.toThrow('is in use by process');
    lock.check();
    vi.unstubAllEnvs();
  });
});

test('what has the name of a lock and is no file does not block for ever: a link or FIFO goes, a folder is told', async () => {
  fs.symlinkSync('nowhere', file());
  (await lockDirectory(dir))[Symbol.dispose]();
  fs.mkdirSync(dir, { recursive: true });
  execFileSync('mkfifo', [file()]);
  (await lockDirectory(dir))[Symbol.dispose]();
  fs.mkdirSync(file(), { recursive: true });
  await expect(lockDirectory(dir)).rejects.toThrow(`${file()} is a folder, and the name of a lock file. Remove`);
});

test.skipIf(process.platform !== 'linux')(
  'a holder without /proc is judged by its renewals, not by its process id',
  async () => {
    forge({ pid: goneProcess(), started: '', boot: '', pids: '' });
    const renewing = setInterval(() => fs.utimesSync(file(), new Date(), new Date()), QUICK.renewMs);
    await expect(lockDirectory(dir, tell, QUICK)).rejects.toThrow('is in use by process');
    clearInterval(renewing);
  },
);

test('a lock that is released while another watches it is free', async () => {
  forge({ pid: 1, host: 'elsewhere', boot: 'another kernel' });
  const waiting = lockDirectory(dir, tell, QUICK);
  await sleep(QUICK.leaseMs / 4);
  fs.rmSync(file());
  using _ = await waiting;
});
