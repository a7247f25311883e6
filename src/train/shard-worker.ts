/** Worker thread: some shards of every update. It answers each task with a number, or with what went wrong. */
import { parentPort, workerData } from 'node:worker_threads';
import { NinaError } from '../errors.ts';
import { openShards, type ShardSetup, type ShardTask } from './shard.ts';

export interface ShardWorkerData {
  readonly setup: ShardSetup;
  readonly shards: readonly number[];
}

/** To the worker's tasks, in their order; the first says that it is ready. null instead of a task ends it. */
export type ShardReply = { readonly value: number } | { readonly error: string; readonly sentence: boolean };

const port = parentPort;
if (!port) throw new Error('This module runs as a worker thread only.');
const answer = async (work: () => Promise<number>) => {
  try {
    port.postMessage({ value: await work() } satisfies ShardReply);
  } catch (error) {
    const sentence = error instanceof NinaError;
    const text = error instanceof Error ? ((sentence ? undefined : error.stack) ?? error.message) : String(error);
    port.postMessage({ error: text, sentence } satisfies ShardReply);
  }
};
const { setup, shards } = workerData as ShardWorkerData;
const opening = openShards(setup, shards);
let queue = answer(async () => {
  await opening;
  return 0;
});
port.on('message', (task: ShardTask | null) => {
  // A thread that is terminated inside a run of the engine takes the process with it: it ends when it is told to.
  queue = queue.then(() => (task ? answer(async () => (await opening).run(task)) : end()));
});

async function end(): Promise<void> {
  port!.close();
  (await opening)[Symbol.dispose]();
}
