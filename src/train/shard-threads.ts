/**
 * The threads that share an update: this one and `workers - 1` others. Shard i is always asked of thread i mod workers;
 * who computes what does not show in the results.
 */
import { requireAddressSpace } from '../address-space.ts';
import { openThread, THREAD_BYTES } from '../jobs/index.ts';
import { openShards, type ShardSetup, type ShardTask } from './shard.ts';

export interface ShardThreads extends Disposable {
  /** One task for each shard, at the same time. @returns their results in the order of shards */
  each(task: (shard: number) => ShardTask): Promise<number[]>;
}

/** ONNX Runtime with the programs of this thread, opened after the others were started. */
const ENGINE_BYTES = 500e6;

/**
 * @param workers threads in all; more than there are shards would have nothing to do
 * @throws NinaError when address space is too short for the threads.
 */
export async function openShardThreads(setup: ShardSetup, workers: number): Promise<ShardThreads> {
  // There is one graphics card, whatever asks it.
  const count = setup.device === 'cpu' ? Math.min(workers, setup.rows.length) : 1;
  const shards = setup.rows.map((_, shard) => shard);
  const of = (member: number) => shards.filter((shard) => shard % count === member);
  if (count > 1)
    requireAddressSpace(
      count === 2 ? 'A second thread for training needs' : `${count - 1} more threads for training need`,
      (count - 1) * THREAD_BYTES + ENGINE_BYTES,
      ', train with --workers 1',
    );
  // Workers run compiled code: Node 20 does not run TypeScript.
  const module = new URL('./shard-worker.js', import.meta.url);
  const others = Array.from({ length: count - 1 }, (_, i) => openThread(module, { setup, shards: of(i + 1) }));
  // Compiled by all at the same time. A thread that is closed inside a call of the engine takes the process with it: it
  // is waited for, here and in `each`.
  const opening = Promise.allSettled(others.map((other) => other.run({ kind: 'open' } satisfies ShardTask)));
  const close = async () => {
    await opening;
    for (const other of others) void other.close();
  };
  const own = await openShards(setup, of(0)).catch(async (error) => {
    await close();
    throw error;
  });
  const failed = (await opening).find((outcome) => outcome.status === 'rejected');
  if (failed) {
    own[Symbol.dispose]();
    await close();
    throw failed.reason;
  }
  const members = [own, ...others] as readonly { run(task: ShardTask): Promise<unknown> }[];
  return {
    async each(task) {
      const results = new Array<number>(shards.length);
      const work = async (member: number) => {
        for (const shard of of(member)) results[shard] = (await members[member].run(task(shard))) as number;
      };
      // This thread's own work blocks it: the others begin first.
      const theirs = Promise.allSettled(others.map((_, i) => work(i + 1)));
      try {
        await work(0);
      } finally {
        await theirs;
      }
      for (const outcome of await theirs) if (outcome.status === 'rejected') throw outcome.reason;
      return results;
    },
    [Symbol.dispose]() {
      void close();
      own[Symbol.dispose]();
    },
  };
}
