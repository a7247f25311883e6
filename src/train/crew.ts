/**
 * The threads that share an update: this one and `workers - 1` others. Shard i is always asked of thread i mod workers;
 * who computes what does not show in the results.
 */
import { Worker } from 'node:worker_threads';
import { requireAddressSpace } from '../address-space.ts';
import { NinaError } from '../errors.ts';
import { WORKER_BYTES, workerError } from '../worker.ts';
import { openShards, type ShardSetup, type ShardTask, type ShardThread } from './shard.ts';
import type { ShardReply, ShardWorkerData } from './shard-worker.ts';

export interface Crew extends Disposable {
  /** One task for each shard, at the same time. @returns their results in the order of shards */
  each(task: (shard: number) => ShardTask): Promise<number[]>;
}

/** ONNX Runtime with the programs of this thread, opened after the others were started. */
const ENGINE_BYTES = 500e6;

/**
 * @param workers threads in all; more than there are shards would have nothing to do
 * @throws NinaError when address space is too short for the threads, or one of them cannot start.
 */
export async function openCrew(setup: ShardSetup, workers: number): Promise<Crew> {
  const shards = setup.rows.map((_, i) => i);
  const count = Math.min(workers, shards.length);
  if (count > 1)
    requireAddressSpace(
      count === 2 ? 'A second thread for training needs' : `${count - 1} more threads for training need`,
      (count - 1) * WORKER_BYTES + ENGINE_BYTES,
      ', train with --workers 1',
    );
  const of = (member: number) => shards.filter((shard) => shard % count === member);
  const others = Array.from({ length: count - 1 }, (_, i) => startWorker(setup, of(i + 1)));
  const members: ShardThread[] = [...others];
  const dispose = () => {
    for (const member of members) member[Symbol.dispose]();
  };
  try {
    // All compile at the same time.
    const started = Promise.all(others.map(({ ready }) => ready));
    started.catch(() => {}); // told below
    members.unshift(await openShards(setup, of(0)));
    await started;
  } catch (error) {
    dispose();
    throw error;
  }
  return {
    async each(task) {
      // A run of this thread's own blocks it: the others begin first. Nobody computes any more when this returns.
      const theirs = shards.filter((shard) => shard % count !== 0);
      const awaited = Promise.allSettled(theirs.map((shard) => members[shard % count].run(task(shard))));
      const results = new Map<number, number>();
      try {
        for (const shard of of(0)) results.set(shard, await members[0].run(task(shard)));
      } finally {
        await awaited;
      }
      for (const [i, result] of (await awaited).entries()) {
        if (result.status === 'rejected') throw result.reason;
        results.set(theirs[i], result.value);
      }
      return shards.map((shard) => results.get(shard)!);
    },
    [Symbol.dispose]: dispose,
  };
}

interface RemoteThread extends ShardThread {
  readonly ready: Promise<number>;
}

/** A worker thread; whatever ends it, every task that waits for it fails with a sentence. */
function startWorker(setup: ShardSetup, shards: readonly number[]): RemoteThread {
  // Workers run compiled code: Node 20 does not run TypeScript.
  const module = new URL('./shard-worker.js', import.meta.url);
  const worker = new Worker(module, { workerData: { setup, shards } satisfies ShardWorkerData });
  const waiting: { resolve: (value: number) => void; reject: (error: Error) => void }[] = [];
  let ended: Error | undefined;
  const end = (error: Error) => {
    ended ??= error;
    for (const { reject } of waiting.splice(0)) reject(ended);
  };
  worker.on('message', (reply: ShardReply) => {
    const { resolve, reject } = waiting.shift()!;
    if ('value' in reply) resolve(reply.value);
    else reject(reply.sentence ? new NinaError(reply.error) : new Error(`A worker failed: ${reply.error}`));
  });
  worker.on('error', (cause) => end(workerError(cause)));
  worker.on('exit', (code) =>
    end(new NinaError(`A worker thread of the training stopped by itself (exit code ${code}).`)),
  );
  const answer = () =>
    new Promise<number>((resolve, reject) => {
      if (ended) reject(ended);
      else waiting.push({ resolve, reject });
    });
  return {
    ready: answer(),
    run(task) {
      const result = answer();
      worker.postMessage(task);
      return result;
    },
    [Symbol.dispose]() {
      worker.postMessage(null);
    },
  };
}
