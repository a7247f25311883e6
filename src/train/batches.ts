/** Where the numbers of each step's batch come from. */
import { episodeId } from '../data/index.ts';
import type { Feed } from '../engine/index.ts';
import { fold, type Key } from '../random.ts';
import type { Batcher } from './batcher.ts';
import type { Dataset } from './dataset.ts';
import { batchSampler } from './sampler.ts';

/** Batches as functions of the step, cut into shards: rows [0, n0), [n0, n0 + n1), ... */
export interface Batches extends Disposable {
  /** The feeds of each shard; they are overwritten by the next step's. */
  of(step: number): Promise<(shard: number) => Record<string, Feed>>;
  /** Where a step's batch came from, for messages. */
  origin(step: number): string;
}

/** Which windows make each shard of a step's batch. */
export interface Sample {
  of(step: number): readonly Int32Array[];
  origin(step: number): string;
}

/** @param rows of each shard */
export function shardSample({ episodes, windows }: Dataset, rows: readonly number[], key: Key): Sample {
  const B = rows.reduce((a, b) => a + b, 0);
  const sample = batchSampler(fold(key, 'batches'), windows.length, B);
  const firsts = rows.map((_, i) => rows.slice(0, i).reduce((a, b) => a + b, 0));
  return {
    of(step) {
      const indices = sample(step);
      return rows.map((n, i) => indices.subarray(firsts[i], firsts[i] + n));
    },
    origin: (step) => [...new Set(Array.from(sample(step), (i) => episodeId(episodes[windows[i].episode])))].join(', '),
  };
}

/** Each shard is filled when it is asked for, while others are computed. */
export function windowBatches(sample: Sample, { allocate, fill }: Batcher, rows: readonly number[]): Batches {
  const batches = rows.map((n) => allocate(n));
  const feeds = batches.map(({ inputs, actions }): Record<string, Feed> => ({ ...inputs, actions }));
  return {
    async of(step) {
      const indices = sample.of(step);
      return (shard) => {
        fill(batches[shard], indices[shard]);
        return feeds[shard];
      };
    },
    origin: sample.origin,
    [Symbol.dispose]() {},
  };
}
