/**
 * One writer per output folder. The lock is a file that names its holder and is renewed as long as the holder lives. One
 * left by a process that is gone is taken over, so a crash never needs cleaning up by hand; a holder that stood still
 * for so long that another took over notices before it writes again.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { NinaError } from './errors.ts';
import { fileError, makeFolder } from './files.ts';
import { type Holder, isRenewed, lifeOf, lockInKernel, readHolder, thisProcess } from './lock-holder.ts';

export interface Lock extends Disposable {
  /**
   * To be asked before each write.
   * @throws NinaError when the lock is no longer this process' own.
   */
  check(): void;
}

export interface LockTiming {
  /** Between two renewals. */
  readonly renewMs: number;
  /** A lock that is not renewed for so long, as the one who waits sees it, is nobody's. */
  readonly leaseMs: number;
}

/** Eight renewals may fail or come late before a lease ends. */
const TIMING: LockTiming = { renewMs: 2_500, leaseMs: 20_000 };
/** A lock file without content is being written, or its writer died in that instant. */
const UNWRITTEN_MS = 1_000;

/** A thread reserves 128 MB of addresses for code unless told otherwise, which is much under 'ulimit -v'. */
const SMALL = { codeRangeSizeMb: 8, maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4, stackSizeMb: 1 };

const LOCK_FILE = '.lock';
/** End of the name of a dead holder's lock for the moment before it is removed. */
const STALE = '.stale';

/**
 * Locks `directory` (created if absent) until disposed. Waits when only time can tell whether the holder is gone.
 * @param tell what a person should know: that it waits, or from whom it took over
 * @throws NinaError naming the process that holds it.
 */
export async function lockDirectory(
  directory: string,
  tell: (notice: string) => void = () => {},
  { renewMs, leaseMs }: LockTiming = TIMING,
): Promise<Lock> {
  const file = path.join(directory, LOCK_FILE);
  const me = thisProcess();
  let made: string | undefined;
  try {
    made = makeFolder(directory);
    if (!fs.statSync(directory).isDirectory()) throw new NinaError(`${directory} is a file; a folder is wanted there.`);
  } catch (cause) {
    throw fileError(`Could not make the folder ${directory}`, cause);
  }
  for (;;) {
    const fd = create(file, directory, made !== undefined, me);
    if (fd !== undefined) {
      if (readHolder(file)?.token === me.token) return hold(file, directory, fd, me.token, renewMs);
      // This process stood still before it had written its name, and was taken for a dead one.
      fs.closeSync(fd);
      continue;
    }
    const holder = await settled(file);
    if (holder === undefined) continue;
    if (holder !== null && (await isAlive(file, directory, holder, leaseMs, tell))) {
      // Released, or another's, while we watched: look again.
      if (readHolder(file)?.token !== holder.token) continue;
      throw new NinaError(
        `${directory} is in use by process ${holder.pid} on ${holder.host}. Wait for it, stop it, or choose another folder.`,
      );
    }
    if (removeStale(file, holder, me.token))
      tell(`Took over ${directory} from process ${holder?.pid ?? 'unknown'}, which is gone.`);
  }
}

async function isAlive(
  file: string,
  directory: string,
  holder: Holder,
  leaseMs: number,
  tell: (notice: string) => void,
): Promise<boolean> {
  const life = lifeOf(file, holder);
  if (life !== 'unknown') return life === 'alive';
  tell(
    `${directory} was last used by process ${holder.pid} on ${holder.host}. Looking for up to ` +
      `${Math.ceil(leaseMs / 1000)} s whether it still is.`,
  );
  return isRenewed(file, holder, leaseMs);
}

/** Makes the lock file, locked in the kernel where that works, and names the holder in it; undefined when there is one. */
function create(file: string, directory: string, made: boolean, me: Omit<Holder, 'kernel'>): number | undefined {
  let fd: number | undefined;
  try {
    fd = fs.openSync(file, 'wx+');
    fs.writeFileSync(fd, JSON.stringify({ ...me, kernel: lockInKernel(fd) } satisfies Holder));
    return fd;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    if (fd !== undefined) {
      fs.closeSync(fd);
      fs.rmSync(file, { force: true }); // a full disk lets a file be made, but not filled
    }
    if (made) removeIfEmpty(directory);
    throw fileError(`Could not write to ${directory}`, cause);
  }
}

function hold(file: string, directory: string, fd: number, token: string, renewMs: number): Lock {
  const aside = fs.readdirSync(directory).filter((name) => name.startsWith(LOCK_FILE) && name.endsWith(STALE));
  for (const name of aside) fs.rmSync(path.join(directory, name), { force: true });
  const renewal = renew(file, renewMs);
  let held = true;
  const isMine = () => readHolder(file)?.token === token;
  return {
    check() {
      if (held && isMine()) return;
      const other = readHolder(file);
      throw new NinaError(
        `${directory} is no longer this process' own: ` +
          (other
            ? `process ${other.pid} on ${other.host} took it over while this one stood still.`
            : `its file ${LOCK_FILE} was removed.`) +
          ' This process stops here and leaves what is there as it is.',
      );
    },
    [Symbol.dispose]() {
      if (!held) return;
      held = false;
      void renewal.terminate();
      // Removed first, closed then: as long as the file has its name it is locked.
      const mine = isMine();
      if (mine) fs.rmSync(file, { force: true });
      fs.closeSync(fd);
      if (mine) removeIfEmpty(directory);
    },
  };
}

/** Renews from a thread of its own: training blocks this one. It ends with the process. */
function renew(file: string, renewMs: number): Worker {
  const code = `
    const fs = require('node:fs');
    const { file, renewMs } = require('node:worker_threads').workerData;
    let fd;
    try {
      fd = fs.openSync(file, 'r+'); // of its own: by name it could touch the lock of a later holder
    } catch {
      process.exit(0); // released already
    }
    setInterval(() => {
      const now = new Date();
      try {
        fs.futimesSync(fd, now, now);
      } catch {
        // A renewal that fails is one that others do not see; whoever takes over is noticed by check().
      }
    }, renewMs);`;
  const worker = new Worker(code, { eval: true, workerData: { file, renewMs }, execArgv: [], resourceLimits: SMALL });
  worker.unref();
  return worker;
}

/** The holder once its writer has written it; null when it never does, undefined when the lock is released. */
async function settled(file: string): Promise<Holder | null | undefined> {
  const end = performance.now() + UNWRITTEN_MS;
  let holder = readHolder(file);
  while (holder === null && performance.now() < end) {
    await sleep(UNWRITTEN_MS / 20);
    holder = readHolder(file);
  }
  return holder;
}

/**
 * Removes the lock of a dead holder. Another process may take over between our reading and our removing; moving the
 * file aside first shows whose it was, and a live one goes back.
 * @returns whether the lock removed was the dead holder's
 */
function removeStale(file: string, dead: Holder | null, mine: string): boolean {
  if (readHolder(file)?.token !== dead?.token) return false;
  const aside = `${file}.${mine}${STALE}`;
  try {
    fs.renameSync(file, aside);
    if (readHolder(aside)?.token === dead?.token) {
      fs.rmSync(aside, { force: true });
      return true;
    }
    // The rename keeps the file, and with it the live holder's lock in the kernel.
    fs.renameSync(aside, file);
    return false;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw fileError(`Could not take over ${file}`, cause);
  }
}

/** Work that failed before it wrote anything leaves nothing behind. */
function removeIfEmpty(directory: string): void {
  try {
    fs.rmdirSync(directory);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOENT') throw cause;
  }
}
