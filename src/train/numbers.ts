/**
 * Where a training's numbers come from. What is frozen has been computed before, pictures are read by a thread ahead of the
 * update, all else is in memory.
 */
import { viewsOf } from '../policy/index.ts';
import type { Reporter } from '../progress.ts';
import type { Key } from '../random.ts';
import { type Batcher, batcher, type PolicyOf, type ReadKept } from './batcher.ts';
import { type Batches, shardSample, windowBatches } from './batches.ts';
import type { TrainConfig } from './config.ts';
import { keepFrames } from './kept.ts';
import type { Eyes } from './observe.ts';
import { openPictureBatches } from './picture-batches.ts';
import { shardRows } from './shard.ts';
import type { Start } from './start.ts';
import { PICTURED_WINDOWS } from './validation.ts';

export interface Numbers extends Disposable {
  /** Of the updates. */
  readonly batches: Batches;
  /** Fills batches of held-out windows, of which at most `most` should be measured. */
  readonly validation: Batcher;
  readonly most?: number;
}

export interface NumbersOptions {
  readonly run: string;
  readonly config: TrainConfig;
  readonly policy: PolicyOf;
  readonly key: Key;
  readonly workers: number;
  readonly eyes: Eyes;
  readonly signal: AbortSignal | undefined;
  readonly report: Reporter;
}

export async function openNumbers(
  { data, frozen }: Pick<Start, 'data' | 'frozen'>,
  { run, config, policy, key, workers, eyes, signal, report }: NumbersOptions,
): Promise<Numbers> {
  const { freeze, threads, batch_size } = config.training;
  const { train, validation } = data;
  const rows = shardRows(batch_size);
  const sample = shardSample(train, rows, key);
  if (freeze !== 'none') {
    const kept = await keepFrames({ run, data, policy, freeze, frozen, workers, threads, signal, report });
    const held: ReadKept = (window, out, row) => kept.read(train.windows.length + window, out, row);
    return {
      batches: windowBatches(sample, batcher(train, policy, freeze, { kept: kept.read }), rows),
      validation: batcher(validation, policy, freeze, { kept: held }),
      [Symbol.dispose]: () => kept[Symbol.dispose](),
    };
  }
  const pictured = viewsOf(policy.config).length > 0;
  const batches = pictured
    ? openPictureBatches(train, policy, sample, key)
    : windowBatches(sample, batcher(train, policy, freeze), rows);
  return {
    batches,
    validation: batcher(validation, policy, freeze, { eyes }),
    ...(pictured && { most: PICTURED_WINDOWS }),
    [Symbol.dispose]: () => batches[Symbol.dispose](),
  };
}
