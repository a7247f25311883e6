/**
 * The machine that hunts bad days: files changed at random, read by the product. Reading must either succeed with
 * something sound or say in a sentence what is wrong, and must leave the folder as it was. Anything else fails, and the
 * failure names the kind, the seed and the index, and keeps the file.
 *
 * NINA_FUZZ: inputs of each kind (2000). NINA_FUZZ_SEED: another series (0). NINA_FUZZ_AT=kind:index or kind:from-to:
 * those inputs alone. NINA_FUZZ_ALL=1: all that fail, not only the first.
 * NINA_FUZZ_HANG_S: seconds after which an input hangs (60).
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect } from 'vitest';
import { NinaError } from '../../src/errors.ts';
import { fold, key, type Rng, rng } from '../../src/random.ts';

export const COUNT = Number(process.env.NINA_FUZZ ?? 2000);
export const SEED = Number(process.env.NINA_FUZZ_SEED ?? 0);
/** No test's time: what stops a battery that hangs. */
export const PATIENCE_MS = 3_600_000;

export interface Kind {
  /** Also the name by which an input is found again. */
  readonly name: string;
  /** Of NINA_FUZZ, for kinds whose reading is expensive. */
  readonly share?: number;
  /** File names and contents before they are changed; the first may be changed by `mutate`. */
  files(r: Rng): Record<string, Buffer>;
  mutate(files: Record<string, Buffer>, r: Rng): Record<string, Buffer>;
  /** Reads the folder. @returns what is wrong with what was read; undefined when it is sound */
  read(folder: string, index: number): unknown;
  /** What reading makes of the files (a log without its cut last line; null: anything); as they were, unless given. */
  after?(files: Record<string, Buffer>): Record<string, Buffer | null>;
}

/** Runs the kind's inputs; throws for the first that fails. */
export async function hunt(kind: Kind): Promise<{ read: number; refused: number }> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `nina-fuzz-${kind.name}-`));
  const only = /^(.*):(\d+)(?:-(\d+))?$/.exec(process.env.NINA_FUZZ_AT ?? '');
  if (only && only[1] !== kind.name) return { read: 0, refused: 0 };
  const from = only ? Number(only[2]) : 0;
  const to = only ? Number(only[3] ?? only[2]) + 1 : Math.ceil(COUNT * (kind.share ?? 1));
  using watch = watchdog(kind.name, folder);
  const seen = { read: 0, refused: 0 };
  const failures: string[] = [];
  try {
    for (let index = from; index < to && (failures.length === 0 || process.env.NINA_FUZZ_ALL); index++) {
      watch.at(index);
      const { outcome, wrong } = await attempt(kind, index, folder, Number.POSITIVE_INFINITY);
      if (wrong !== undefined) failures.push(await report(kind, index, folder, wrong));
      else seen[outcome]++;
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  if (failures.length > 0) throw new Error(failures.join('\n'));
  return seen;
}

interface Attempt {
  outcome: 'read' | 'refused';
  /** A sentence. */
  wrong?: string;
}

/** Reads the input, made with at most `steps` mutations. */
async function attempt(kind: Kind, index: number, folder: string, steps: number): Promise<Attempt> {
  const files = inputOf(kind, index, steps);
  for (const name of fs.readdirSync(folder)) fs.rmSync(path.join(folder, name), { recursive: true });
  save(folder, files);
  try {
    const unsound = await kind.read(folder, index);
    if (unsound !== undefined) return { outcome: 'read', wrong: `what was read is not sound: ${unsound}` };
  } catch (error) {
    return { outcome: 'refused', wrong: noSentence(error) ?? changed(folder, files) };
  }
  return { outcome: 'read', wrong: changed(folder, kind.after?.(files) ?? files) };
}

function save(folder: string, files: Record<string, Buffer>): void {
  for (const [name, bytes] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), bytes);
  }
}

function inputOf(kind: Kind, index: number, steps: number): Record<string, Buffer> {
  const r = rng(fold(key(SEED), 'fuzz', kind.name, index));
  let files = kind.files(r);
  for (let n = Math.min(steps, 1 + r.int(3)); n > 0; n--) files = kind.mutate(files, r);
  return files;
}

/** Why an error is no sentence for a person; undefined when it is one. */
export function noSentence(error: unknown): string | undefined {
  if (!(error instanceof NinaError))
    return `it is no NinaError: ${error instanceof Error ? error.stack : String(error)}`;
  const { message } = error;
  if (message.trim().length < 10) return `its message is empty: '${message}'`;
  if (/undefined|\[object |\bat .*\.[jt]s:\d+/.test(message)) return `its message is no sentence: ${message}`;
  if (message.length > 5000) return `its message has ${message.length} characters: ${message.slice(0, 500)}`;
  return undefined;
}

/** What of the folder is not as it should be. */
function changed(folder: string, wanted: Record<string, Buffer | null>): string | undefined {
  const found = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = found.filter((name) => fs.statSync(path.join(folder, name)).isFile());
  const left = files.find((name) => !(name in wanted));
  if (left) return `it left ${left} behind`;
  for (const [name, bytes] of Object.entries(wanted)) {
    if (!files.includes(name)) return `it removed ${name}`;
    if (bytes && !fs.readFileSync(path.join(folder, name)).equals(bytes)) return `it changed ${name}`;
  }
  return undefined;
}

/** Fewer mutations that fail alike, the input on disk, and how to have it again. */
async function report(kind: Kind, index: number, folder: string, wrong: string): Promise<string> {
  let shrunk = Number.POSITIVE_INFINITY;
  for (const steps of [1, 2]) {
    if ((await attempt(kind, index, folder, steps)).wrong === undefined) continue;
    shrunk = steps;
    break;
  }
  const kept = path.join(os.tmpdir(), `nina-fuzz-failure-${kind.name}-${SEED}-${index}`);
  fs.rmSync(kept, { recursive: true, force: true });
  save(kept, inputOf(kind, index, shrunk));
  return [
    `Input ${index} of kind ${kind.name}, seed ${SEED}: ${wrong}`,
    `The input is kept in ${kept}. Again: NINA_FUZZ_SEED=${SEED} NINA_FUZZ_AT=${kind.name}:${index} npx vitest run test/fuzz`,
  ].join('\n');
}

/** Of one input. Reading is synchronous: only another thread sees that it does not end. */
const HANG_MS = 1000 * Number(process.env.NINA_FUZZ_HANG_S ?? 60);

function watchdog(name: string, folder: string): Disposable & { at(index: number): void } {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const source = `
    const { workerData: { shared, name, folder, seed, limit } } = require('node:worker_threads');
    const fs = require('node:fs');
    let last = -1, sinceMs = Date.now();
    setInterval(() => {
      if (shared[1] !== last) { last = shared[1]; sinceMs = Date.now(); return; }
      if (Date.now() - sinceMs < limit) return;
      fs.writeSync(2, 'Input ' + shared[0] + ' of kind ' + name + ', seed ' + seed + ' hangs: more than ' + limit / 1000 +
        ' s. It is kept in ' + folder + '. Again: NINA_FUZZ_SEED=' + seed + ' NINA_FUZZ_AT=' + name + ':' + shared[0] + ' npx vitest run test/fuzz\\n');
      process.kill(process.pid, 'SIGKILL');
    }, 1000).unref();
    setTimeout(() => {}, 2 ** 31 - 1);`;
  const worker = new Worker(source, { eval: true, workerData: { shared, name, folder, seed: SEED, limit: HANG_MS } });
  worker.unref();
  return {
    at(index) {
      shared[0] = index;
      shared[1]++;
    },
    [Symbol.dispose]: () => void worker.terminate(),
  };
}

/** What is not a finite number, or is null, anywhere in a value that was read; undefined when all is. */
export function notSound(value: unknown, place = 'it', nullable = false): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `${place} is ${value}`;
  if (value === null) return nullable ? undefined : `${place} is null`;
  if (ArrayBuffer.isView(value)) {
    const bad = (value as Float32Array).findIndex((x) => !Number.isFinite(Number(x)));
    return bad < 0 ? undefined : `${place}[${bad}] is ${(value as Float32Array)[bad]}`;
  }
  if (typeof value === 'string') return /\p{Surrogate}/u.test(value) ? `${place} holds half a character` : undefined;
  if (typeof value !== 'object') return undefined;
  for (const [name, part] of Object.entries(value)) {
    if (part === undefined) continue;
    const wrong = notSound(part, `${place}.${name}`, nullable);
    if (wrong) return wrong;
  }
  return undefined;
}

/** Both outcomes must be there, or the mutations are too wild or too tame to say anything. */
export function expectBoth({ read, refused }: { read: number; refused: number }): void {
  if (read + refused < 100) return;
  expect(refused, 'inputs that were refused').toBeGreaterThan((read + refused) / 50);
  expect(read, 'inputs that were read').toBeGreaterThan((read + refused) / 200);
}
