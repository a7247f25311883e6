/**
 * Which windows a step trains on. Each epoch is a permutation drawn from the epoch's own key and steps walk through it
 * without gaps, so a batch is a function of (key, step): resuming needs no generator state.
 */
import { fold, type Key, permutation } from '../random.ts';

/** Maps a step to the `batchSize` indices, in [0, n), of its batch; a batch may straddle two epochs. */
export function batchSampler(key: Key, n: number, batchSize: number): (step: number) => Int32Array {
  // A cache, not state: the permutation of an epoch is the same whenever it is asked for.
  let cached: { epoch: number; order: Int32Array } = { epoch: -1, order: new Int32Array(0) };
  const orderOf = (epoch: number) => {
    if (cached.epoch !== epoch) cached = { epoch, order: permutation(fold(key, 'epoch', epoch), n) };
    return cached.order;
  };
  return (step) =>
    Int32Array.from({ length: batchSize }, (_, i) => {
      const position = step * batchSize + i;
      return orderOf(Math.floor(position / n))[position % n];
    });
}
