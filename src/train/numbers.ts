/**
 * Where a training's numbers come from. What is frozen has been computed before, pictures are read by a thread ahead of the
 * update, all else is in memory.
 */
import { encoderOf } from '../encoders/index.ts';
import type { Reporter } from '../progress.ts';
import type { Key } from '../random.ts';
import { type Batcher, batcher, type PolicyOf, pictureBatcher } from './batcher.ts';
import { type Batches, shardSample, windowBatches } from './batches.ts';
import type { TrainConfig } from './config.ts';
import { keepFrames } from './kept.ts';
import { openPictureBatches } from './picture-batches.ts';
import { locateData } from './run.ts';
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
  readonly signal: AbortSignal | undefined;
  readonly report: Reporter;
}

export async function openNumbers(
  { data, frozen }: Pick<Start, 'data' | 'frozen'>,
  { run, config, policy, key, workers, signal, report }: NumbersOptions,
): Promise<Numbers> {
  const { freeze, threads, batch_size } = config.training;
  const { train, validation } = data;
  const rows = shardRows(batch_size);
  const sample = shardSample(train, rows, key);
  const source = locateData(run, config);
  if (freeze !== 'none') {
    const kept = await keepFrames({ run, source, data, policy, freeze, frozen, workers, threads, signal, report });
    const held = train.windows.length;
    const own = batcher(train, policy, freeze, kept.read);
    return {
      batches: windowBatches(sample, own, rows),
      validation: batcher(validation, policy, freeze, (window, out, row) => kept.read(held + window, out, row)),
      [Symbol.dispose]: () => kept[Symbol.dispose](),
    };
  }
  if (encoderOf(policy.config.encoder).views(policy.config.encoder).length > 0) {
    const batches = openPictureBatches(source, train, policy, sample, key);
    return {
      batches,
      validation: pictureBatcher(validation, policy, data.observe),
      most: PICTURED_WINDOWS,
      [Symbol.dispose]: () => batches[Symbol.dispose](),
    };
  }
  return {
    batches: windowBatches(sample, batcher(train, policy), rows),
    validation: batcher(validation, policy),
    [Symbol.dispose]() {},
  };
}
