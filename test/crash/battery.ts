/**
 * Work that is killed at random moments and goes on with the command that the tool itself names must end where
 * undisturbed work ends: the same files, the same bytes, nothing left behind.
 *
 * NINA_CRASH: moments of each kind (5). NINA_CRASH_SEED: other moments (0).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { fold, key, rng } from '../../src/random.ts';

const ENTRY = path.join(import.meta.dirname, '../../dist/cli/nina.js');
export const MOMENTS = Number(process.env.NINA_CRASH ?? 5);
const SEED = Number(process.env.NINA_CRASH_SEED ?? 0);
/** No test's time: what stops a battery that hangs. */
export const PATIENCE_MS = 3_600_000;

export interface Work {
  readonly name: string;
  /** The command that does all of it, in `out`. */
  command(out: string): readonly string[];
  /** A file's content without what measures the machine; by its name in `out`. */
  without?(name: string, content: Buffer): Buffer | string;
  /** Looks at what a kill left. @throws for what must not be */
  inspect?(out: string): void;
}

/** Does the work in `folder` undisturbed, then once for each few moments, disturbed. */
export async function crash(work: Work, folder: string): Promise<void> {
  const whole = path.join(folder, `${work.name}-whole`);
  const startMs = performance.now();
  expect(await finish(work.command(whole)), work.name).toMatchObject({ code: 0 });
  const durationMs = performance.now() - startMs;
  const wanted = contents(work, whole, whole);

  const r = rng(fold(key(SEED), 'crash', work.name));
  for (let moment = 0; moment < MOMENTS; ) {
    const out = path.join(folder, `${work.name}-${moment}`);
    let command = work.command(out);
    const delaysMs: number[] = [];
    // One kill, or several in a row: what goes on may be killed as well.
    for (let kills = 1 + r.int(3); kills > 0 && moment < MOMENTS; kills--, moment++) {
      delaysMs.push(r.uniform(0, durationMs));
      await killed(command, delaysMs.at(-1)!);
      if (fs.existsSync(out)) work.inspect?.(out);
      command = await named(command);
    }
    const what = `${work.name}, seed ${SEED}, killed after ${delaysMs.map((ms) => ms.toFixed(0)).join(', ')} ms; kept in ${out}`;
    const { code, stderr } = await finish(command);
    expect(code, `${what}: ${stderr}`).toBe(0);
    const found = contents(work, out, whole);
    expect([...found.keys()], what).toEqual([...wanted.keys()]);
    for (const [name, content] of wanted)
      expect(same(found.get(name)!, content), `${what}: ${name} differs`).toBe(true);
    fs.rmSync(out, { recursive: true });
  }
}

const same = (a: Buffer | string, b: Buffer | string) => Buffer.from(a).equals(Buffer.from(b));

/** In a process group of its own, so that what it started is killed with it. */
function start(command: readonly string[]): ChildProcess {
  return spawn(process.execPath, [ENTRY, ...command], { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
}

async function killed(command: readonly string[], afterMs: number): Promise<void> {
  const child = start(command);
  child.stderr!.resume();
  const exit = once(child, 'exit');
  await Promise.race([exit, sleep(afterMs)]);
  if (child.exitCode !== null) return;
  process.kill(-child.pid!, 'SIGKILL');
  await exit;
}

async function finish(command: readonly string[]): Promise<{ code: number | null; stderr: string }> {
  const child = start(command);
  let stderr = '';
  child.stderr!.on('data', (text) => {
    stderr += text;
  });
  const [code] = await once(child, 'close');
  return { code, stderr };
}

/** The command to go on with: the same one, unless a run is there that it would not overwrite, and it says what to do. */
async function named(command: readonly string[]): Promise<readonly string[]> {
  if (command[0] === 'pretrain' && !command.includes('--resume'))
    return fs.existsSync(path.join(command.at(-1)!, 'pretraining.json'))
      ? ['pretrain', '--resume', ...command.slice(1)]
      : command;
  if (command[0] !== 'train' || command[1] === '--resume') return command;
  if (!fs.existsSync(path.join(command.at(-1)!, 'recipe.yaml'))) return command;
  const { code, stderr } = await finish(command);
  const advice = /Continue it with 'nina (train --resume (.*))'/.exec(stderr);
  expect(code, stderr).toBe(1);
  return ['train', '--resume', advice![2]];
}

/** All files of `out`, hidden ones included, by name; paths in them as if in `whole`. */
function contents(work: Work, out: string, whole: string): Map<string, Buffer | string> {
  const names = fs.readdirSync(out, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => fs.statSync(path.join(out, name)).isFile()).sort();
  return new Map(
    files.map((name) => {
      const content = fs.readFileSync(path.join(out, name));
      const moved = content.includes(out)
        ? Buffer.from(content.toString('latin1').replaceAll(out, whole), 'latin1')
        : content;
      return [name, work.without?.(name, moved) ?? moved];
    }),
  );
}

/** Numbers of JSON under these names become 0: they measure the machine. */
export function withoutNumbers(content: Buffer | string, ...names: readonly string[]): string {
  const number = String.raw`-?\d[\d.eE+-]*`;
  const names_ = names.join('|');
  return content
    .toString()
    .replace(new RegExp(`"(${names_})":(\\s*)${number}`, 'g'), '"$1":$20')
    .replace(new RegExp(`"(${names_})":(\\s*)\\[[^\\]]*\\]`, 'g'), '"$1":$2[]')
    .replace(new RegExp(`"(${names_})":(\\s*)\\{[^}]*\\}`, 'g'), '"$1":$2{}');
}
