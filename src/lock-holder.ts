/**
 * Who holds a lock, and whether it still does: asked of the kernel where it is the same one, and otherwise seen by
 * whether the lock is still renewed.
 *
 * Process ids and host names do not tell containers apart: two may share a host name, each has its own process 1, and a
 * container that comes back has another name. What they share is the kernel, which knows its boot id, and whether an
 * open file is still locked (flock), whoever asks.
 */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { NinaError } from './errors.ts';
import { fileError } from './files.ts';

const holderSchema = z.object({
  host: z.string(),
  pid: z.int(),
  /** Start of the process in the kernel's clock ticks: tells it from a later process with the same id. */
  started: z.string(),
  /** Tells this acquisition from any other. */
  token: z.string(),
  /** Tells the running kernel from any other; empty where it does not say (outside Linux). */
  boot: z.string().default(''),
  /** Tells the namespace in which `pid` is counted from that of other containers. */
  pids: z.string().default(''),
  /** The holder keeps the lock file itself locked in the kernel for as long as it lives. */
  kernel: z.boolean().default(false),
});

export type Holder = z.output<typeof holderSchema>;

/** This process, as the holder of a new lock. */
export function thisProcess(): Omit<Holder, 'kernel'> {
  return {
    host: os.hostname(),
    pid: process.pid,
    started: startOf(process.pid),
    token: randomUUID(),
    boot: fromProc(() => fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pids: fromProc(() => fs.readlinkSync('/proc/self/ns/pid')),
  };
}

/** The holder; null for a file that is no (whole) lock of ours; undefined when there is none. */
export function readHolder(file: string): Holder | null | undefined {
  let text: string;
  try {
    const found = fs.lstatSync(file);
    if (found.isDirectory())
      throw new NinaError(
        `${file} is a folder, and the name of a lock file. Remove the folder or give it another name.`,
      );
    // A lock of ours is a file. A link without a target could be neither made nor read, and a FIFO is read for ever.
    if (!found.isFile()) return null;
    text = fs.readFileSync(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fileError(`Could not read ${file}`, cause);
  }
  try {
    return holderSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null; // cut by a crash or a full disk, or another program's
  }
}

export type Life = 'alive' | 'gone' | 'unknown';

/** What the kernel knows of the holder at once; 'unknown' when it is another one, or cannot say. */
export function lifeOf(file: string, holder: Holder): Life {
  const here = thisProcess();
  if (holder.boot !== here.boot || (here.boot === '' && holder.host !== here.host)) {
    // A holder of an earlier version names no kernel, but its start. One that names neither was started without /proc,
    // and may count its processes in a namespace of its own.
    const earlier = holder.boot === '' && holder.started !== '';
    return earlier && holder.host === here.host ? lifeOfProcess(holder) : 'unknown';
  }
  if (holder.kernel) {
    const locked = isLocked(file);
    if (locked !== undefined) return locked ? 'alive' : 'gone';
  }
  // Outside Linux there are no such namespaces; on it, one without a name may be any.
  const counted = holder.pids === here.pids && (here.pids !== '' || process.platform !== 'linux');
  return counted ? lifeOfProcess(holder) : 'unknown';
}

/**
 * Watches a lock for `leaseMs`, by this process' own clock.
 * @returns true as soon as it is renewed, released or another's; false when nothing happened to it.
 */
export async function isRenewed(file: string, { token }: Holder, leaseMs: number): Promise<boolean> {
  const renewedMs = () => {
    // Opening makes a network file system ask its server.
    try {
      const fd = fs.openSync(file, 'r');
      try {
        return fs.fstatSync(fd).mtimeMs;
      } finally {
        fs.closeSync(fd);
      }
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw fileError(`Could not read ${file}`, cause);
    }
  };
  const before = renewedMs();
  const end = performance.now() + leaseMs;
  while (performance.now() < end) {
    await sleep(leaseMs / 40);
    if (renewedMs() !== before || readHolder(file)?.token !== token) return true;
  }
  return false;
}

/**
 * Locks the open file in the kernel until it is closed or this process ends, however it ends: the lock belongs to the
 * open file, which the command flock shares with us for a moment.
 * @returns false where the file system or the machine has no such locks.
 */
export function lockInKernel(fd: number): boolean {
  return flock(fd, '-x') === 0;
}

/** Whether another open file of that name is locked; undefined where that cannot be asked. */
function isLocked(file: string): boolean | undefined {
  let fd: number;
  try {
    fd = fs.openSync(file, 'r+');
  } catch {
    return undefined;
  }
  try {
    const status = flock(fd, '-s');
    return status === 0 ? false : status === 1 ? true : undefined;
  } finally {
    fs.closeSync(fd);
  }
}

/** Node has no file locks; every Linux has this command. */
function flock(fd: number, kind: '-x' | '-s'): number | null {
  return spawnSync('flock', [kind, '-n', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] }).status;
}

function lifeOfProcess({ pid, started }: Holder): Life {
  try {
    process.kill(pid, 0);
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM' ? 'alive' : 'gone';
  }
  return startOf(pid) === started ? 'alive' : 'gone';
}

/** Field 22 of /proc/PID/stat; empty where there is no /proc, and then the process id alone decides. */
function startOf(pid: number): string {
  const stat = fromProc(() => fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // The command in field 2 may hold spaces and parentheses: count from its end.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended; in a container whose first process does not wait for it, its entry stays for good.
  return fields[0] === 'Z' ? 'ended' : (fields[19] ?? '');
}

/** What /proc says; empty where there is none. */
function fromProc(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
