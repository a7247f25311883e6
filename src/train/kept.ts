/**
 * What the frozen part of an encoder makes of every frame: computed once, before the training, by all threads; kept in F16 in
 * the run's folder, in the order of the windows (those of training first), and read from there frame by frame, so that
 * memory does not grow with the demonstrations. Its name says of which weights and data it is; what was begun is gone on with.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { requireAddressSpace } from '../address-space.ts';
import { NinaError } from '../errors.ts';
import { fileError, makeFolder, writeFully } from '../files.ts';
import { toFloat32 } from '../floats.ts';
import { interrupted, openThread, THREAD_BYTES } from '../jobs/index.ts';
import type { Reporter } from '../progress.ts';
import type { NDArray } from '../tensor/index.ts';
import type { PolicyOf } from './batcher.ts';
import type { Demonstrations } from './dataset.ts';
import type { Freeze } from './frozen.ts';
import { FRAMES, type KeptSetup } from './kept-setup.ts';
import { pictureRow } from './picture-batches.ts';
import type { PictureRow } from './picture-worker.ts';
import { keptShape } from './seen.ts';

export interface KeptFrames extends Disposable {
  /** Writes what is kept of a frame as row `row` of an array of such. */
  read(frame: number, out: Float32Array, row: number): void;
}

export interface KeptOptions {
  readonly run: string;
  readonly data: Demonstrations;
  readonly policy: PolicyOf;
  readonly freeze: Freeze;
  /** By path in the policy. */
  readonly frozen: ReadonlyMap<string, NDArray>;
  readonly workers: number;
  readonly threads: number;
  readonly signal: AbortSignal | undefined;
  readonly report: Reporter;
}

/** Files of this kind, finished or not. */
const KEPT = /^kept-.*\.f16(\.part)?$/;
const BYTES = 2;

/** @throws NinaError when the disk is full or the signal is aborted: the same command goes on with it. */
export async function keepFrames(options: KeptOptions): Promise<KeptFrames> {
  const { run, data, policy, freeze, report } = options;
  const size = keptShape(policy.config, freeze, 1)!.reduce((a, b) => a * b, 1);
  const frames = data.train.windows.length + data.validation.windows.length;
  const setup = setupOf(options);
  const file = path.join(run, `kept-${hashOf(setup, data)}.f16`);
  makeFolder(run);
  for (const name of fs.readdirSync(run))
    if (KEPT.test(name) && !path.join(run, name).startsWith(file)) fs.rmSync(path.join(run, name));
  if (!fs.existsSync(file)) {
    const part = `${file}.part`;
    try {
      const fd = fs.openSync(part, fs.existsSync(part) ? 'r+' : 'w+');
      try {
        await append(fd, setup, size, frames, options);
        fs.fsyncSync(fd);
      } finally {
        fs.closeSync(fd);
      }
      fs.renameSync(part, file);
    } catch (cause) {
      throw fileError(`Could not write ${part}`, cause);
    }
  }
  const megabytes = Math.round((frames * size * BYTES) / 1e6);
  report.notice(
    `What the frozen part makes of ${frames} frames is in ${file} (${megabytes} MB); remove it after the training.`,
  );
  return open(file, size, frames);
}

/** Goes on behind the whole frames that are there. */
async function append(
  fd: number,
  setup: KeptSetup,
  size: number,
  frames: number,
  { data, workers, signal, report }: KeptOptions,
): Promise<void> {
  const batch = FRAMES * size * BYTES;
  const begun = Math.floor(fs.fstatSync(fd).size / batch) * FRAMES;
  fs.ftruncateSync(fd, (begun / FRAMES) * batch);
  requireAddressSpace('A thread that computes frames needs', workers * THREAD_BYTES, ', train with --workers 1');
  const module = new URL('./kept-worker.js', import.meta.url);
  const threads = Array.from({ length: workers }, () => openThread(module, setup));
  const tell = (done: number) =>
    report.progress({ stage: 'Frames', done, total: frames, note: 'seen by what is frozen' });
  try {
    for (let done = begun; done < frames; ) {
      tell(done);
      const starts = threads.map((_, i) => done + i * FRAMES).filter((from) => from < frames);
      // A thread that is closed inside a call of the engine takes the process with it: all are waited for.
      const results = await Promise.allSettled(
        starts.map((from, i) => threads[i].run(rowsOf(data, from, Math.min(frames, from + FRAMES)))),
      );
      for (const result of results) {
        if (result.status === 'rejected') throw result.reason;
        const kept = result.value as Uint16Array;
        writeFully(fd, new Uint8Array(kept.buffer, kept.byteOffset, kept.byteLength), done * size * BYTES);
        done += kept.length / size;
      }
      if (signal?.aborted && done < frames) throw interrupted();
    }
    tell(frames);
  } finally {
    for (const thread of threads) await thread.close();
  }
}

/** Frames [from, to): those of training, then those that are held out. */
function rowsOf({ train, validation }: Demonstrations, from: number, to: number): PictureRow[] {
  return Array.from({ length: to - from }, (_, i): PictureRow => {
    const frame = from + i;
    const { episodes, windows } = frame < train.windows.length ? train : validation;
    const { episode, start } = windows[frame < train.windows.length ? frame : frame - train.windows.length];
    return pictureRow(episodes[episode], start);
  });
}

/** Weights in memory that all threads share where the engine takes it. */
function setupOf({ policy, freeze, frozen, threads }: KeptOptions): KeptSetup {
  const { config, statistics, assets } = policy;
  const entries = [...frozen].map(([name, { shape }]) => ({ path: name.replace(/^encoder\./, ''), shape }));
  const count = [...frozen.values()].reduce((sum, { data }) => sum + data.length, 0);
  const weights = new Float32Array(new SharedArrayBuffer(4 * count));
  let offset = 0;
  for (const { data } of frozen.values()) {
    weights.set(data, offset);
    offset += data.length;
  }
  return { policy: { config, statistics, assets }, freeze, entries, weights, threads };
}

function hashOf({ policy, freeze, entries, weights }: KeptSetup, { hash, train, validation }: Demonstrations): string {
  const files = new Set([...train.episodes, ...validation.episodes].map(({ file }) => file));
  // Pictures are no part of the data's hash: files that were written again are other ones.
  const states = [...files].map((file) => {
    const { size, mtimeMs } = fs.statSync(file);
    return [size, mtimeMs];
  });
  const { config, statistics, assets } = policy;
  return createHash('sha256')
    .update(JSON.stringify([config.encoder, freeze, keptShape(config, freeze, 1), statistics.encoder, assets]))
    .update(JSON.stringify([entries, hash, states]))
    .update(new Uint8Array(weights.buffer))
    .digest('hex')
    .slice(0, 16);
}

function open(file: string, size: number, frames: number): KeptFrames {
  const bytes = new Uint8Array(size * BYTES);
  const damaged = () =>
    new NinaError(`${file} is damaged: it does not hold ${frames} frames. Remove it and run the same command again.`);
  if (fs.statSync(file).size !== frames * bytes.length) throw damaged();
  const fd = fs.openSync(file, 'r');
  return {
    read(frame, out, row) {
      if (fs.readSync(fd, bytes, 0, bytes.length, frame * bytes.length) !== bytes.length) throw damaged();
      toFloat32('F16', bytes, out.subarray(row * size, (row + 1) * size));
    },
    [Symbol.dispose]: () => fs.closeSync(fd),
  };
}
