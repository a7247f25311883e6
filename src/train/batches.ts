/** Where the numbers of each step's batch come from. */
import { episodeId } from '../data/index.ts';
import type { Feed } from '../engine/index.ts';
import { fold, type Key } from '../random.ts';
import { batcher, type Dataset, type PolicyOf } from './dataset.ts';
import { batchSampler } from './sampler.ts';

/** Batches as functions of the step, cut into shards: rows [0, n0), [n0, n0 + n1), ... */
export interface Batches extends Disposable {
  /** The feeds of each shard; they are overwritten by the next step's. */
  of(step: number): Promise<(shard: number) => Record<string, Feed>>;
  /** Where a step's batch came from, for messages. */
  origin(step: number): string;
}

/** Of demonstrations that are in memory: each shard is filled when it is asked for, while others are computed. */
export function windowBatches(dataset: Dataset, policy: PolicyOf, rows: readonly number[], key: Key): Batches {
  const B = rows.reduce((a, b) => a + b, 0);
  const sample = batchSampler(fold(key, 'batches'), dataset.windows.length, B);
  const { allocate, fill } = batcher(dataset, policy);
  const batches = rows.map((n) => allocate(n));
  const feeds = batches.map(({ inputs, actions }): Record<string, Feed> => ({ ...inputs, actions }));
  const firsts = rows.map((_, i) => rows.slice(0, i).reduce((a, b) => a + b, 0));
  return {
    async of(step) {
      const indices = sample(step);
      return (shard) => {
        fill(batches[shard], indices.subarray(firsts[shard], firsts[shard] + rows[shard]));
        return feeds[shard];
      };
    },
    origin: (step) => originOf(dataset, sample(step)),
    [Symbol.dispose]() {},
  };
}

/** The episodes of some windows. */
function originOf({ episodes, windows }: Dataset, indices: Int32Array): string {
  return [...new Set(Array.from(indices, (i) => episodeId(episodes[windows[i].episode])))].join(', ');
}
