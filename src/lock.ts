/**
 * One writer per output folder. The lock is a file naming the process that holds it; a lock left by a process that died
 * is taken over, so a crash never needs cleaning up by hand.
 */
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { NinaError } from './errors.ts';
import { fileError } from './files.ts';

export interface Lock extends Disposable {
  /** What a person should know about how the lock was obtained; undefined when there is nothing to tell. */
  readonly notice: string | undefined;
}

interface Holder {
  host: string;
  pid: number;
  /** Start of the process in the kernel's clock ticks: tells it from a later process with the same id. */
  started: string;
  /** Tells this acquisition from any other. */
  token: string;
}

const LOCK_FILE = '.lock';

/**
 * Locks `directory` (created if absent) until disposed.
 * @throws NinaError naming the process that holds it.
 */
export function lockDirectory(directory: string): Lock {
  const file = path.join(directory, LOCK_FILE);
  const mine: Holder = { host: os.hostname(), pid: process.pid, started: startOf(process.pid), token: randomUUID() };
  const draft = `${file}.${mine.token}`;
  let notice: string | undefined;
  let made: string | undefined;
  try {
    made = fs.mkdirSync(directory, { recursive: true });
    fs.writeFileSync(draft, JSON.stringify(mine));
  } catch (cause) {
    if (fs.existsSync(draft)) fs.rmSync(draft); // a full disk lets a file be made, but not filled
    if (made !== undefined) removeIfEmpty(directory);
    throw fileError(`Could not write to ${directory}`, cause);
  }
  try {
    // Linking a finished file is atomic and fails if the name is taken, so a lock is never seen half-written.
    while (!link(draft, file)) {
      const holder = read(file);
      if (holder === undefined) continue;
      if (holder === null || (holder.host === mine.host && !isAlive(holder))) {
        if (!removeStale(file, holder, `${draft}.stale`)) continue;
        notice = `Took over ${directory} from process ${holder?.pid ?? 'unknown'}, which is gone.`;
        continue;
      }
      throw new NinaError(
        `${directory} is in use by process ${holder.pid} on ${holder.host}. Wait for it, stop it, or choose another folder` +
          `${holder.host === mine.host ? '' : ` (if that process is gone, delete ${file})`}.`,
      );
    }
  } finally {
    fs.rmSync(draft, { force: true });
  }
  return {
    notice,
    [Symbol.dispose]() {
      if (read(file)?.token !== mine.token) return;
      fs.rmSync(file, { force: true });
      removeIfEmpty(directory);
    },
  };
}

function link(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw fileError(`Could not lock ${path.dirname(to)}`, cause);
  }
}

/**
 * Removes the lock of a dead holder. Another process may take over between our reading and our removing; moving the
 * file aside first shows whose it was, and a live one goes back.
 * @returns whether the lock removed was the dead holder's
 */
function removeStale(file: string, dead: Holder | null, aside: string): boolean {
  try {
    fs.renameSync(file, aside);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw fileError(`Could not take over ${file}`, cause);
  }
  try {
    const stale = read(aside)?.token === dead?.token;
    if (!stale) link(aside, file);
    return stale;
  } finally {
    fs.rmSync(aside, { force: true });
  }
}

/** The holder; null for a file that is no lock of ours; undefined when it has just been released. */
function read(file: string): Holder | null | undefined {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fileError(`Could not read ${file}`, cause);
  }
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return null; // not ours, or cut by a full disk of another program: nobody holds it
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

function isAlive({ pid, started }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM';
  }
  return startOf(pid) === started;
}

/** Field 22 of /proc/PID/stat; empty where there is no /proc, and then the process id alone decides. */
function startOf(pid: number): string {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command in field 2 may hold spaces and parentheses: count from its end.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
