/**
 * One update of the weights. Batch, noise and dropout masks are drawn from keys folded with the step, so that an update
 * is a function of the state and the step alone. The batch is cut into shards, which threads compute at the same time;
 * their losses and gradients are added up in one order.
 */
import { episodeId } from '../data/index.ts';
import { decoderOf } from '../decoders/index.ts';
import type { Feed, NodeDevice } from '../engine/index.ts';
import type { blueprint, PolicyModel } from '../policy/index.ts';
import { fold, type Key } from '../random.ts';
import { groupsOf, mapTree, type Spec } from '../tensor/index.ts';
import type { TrainingSettings } from './config.ts';
import { batcher, type Dataset, type PolicyOf } from './dataset.ts';
import type { OptimizerMemory } from './optimizer.ts';
import { batchSampler } from './sampler.ts';
import { emaDecayAt, learningRateAt } from './schedule.ts';
import { shardRows } from './shard.ts';
import { openShardThreads } from './shard-threads.ts';

/** What a batch says about the weights. */
export interface Measured {
  /** Of the batch: nats for a flow, squared error for the others. */
  readonly loss: number;
  readonly gradNorm: number;
  /** Set when loss or gradient are unusable, and so are the weights: what happened, on which episodes. */
  readonly diverged?: string;
}

/** Update number `step`, counted from 0, in two halves: between them the weights are known to be good. */
export interface Update extends Disposable {
  /** Loss and gradient of the step's batch. */
  measure(step: number): Promise<Measured>;
  /** Applies that gradient to the optimizer's state; returns the learning rate it used. */
  apply(step: number): Promise<number>;
}

/**
 * A loss per action dimension beyond which it is an explosion: for nats as if every number were 14 standard deviations
 * out, for squared errors as if it were 10 out of a range of 2.
 */
const EXPLOSION = 100;

export interface UpdateOptions {
  readonly config: TrainingSettings;
  readonly policy: PolicyOf;
  readonly plan: Pick<ReturnType<typeof blueprint>, 'params'>;
  readonly buffers: PolicyModel['buffers'];
  readonly optimizer: OptimizerMemory;
  readonly dataset: Dataset;
  readonly key: Key;
  /** Threads that share it, and what they compute on. */
  readonly workers: number;
  readonly device: NodeDevice;
}

export async function prepareUpdate(options: UpdateOptions): Promise<Update> {
  const { config, policy, plan, buffers, optimizer, dataset, key, workers, device } = options;
  const { batch_size: B, threads } = config;
  const { chunk_length: T, action_dim: A } = policy.config.decoder;
  const rows = shardRows(B);
  const weights = rows.map((n) => n / B);
  const groups = groupsOf(plan.params);
  const model = { params: mapTree(plan.params, ({ shape }: Spec) => ({ shape })), buffers };
  const shardThreads = await openShardThreads(
    { policy: policy.config, model, optimizer, rows, groups, key, device, threads },
    workers,
  );
  const sample = batchSampler(fold(key, 'batches'), dataset.windows.length, B);
  const { allocate, fill } = batcher(dataset, policy);
  const batches = rows.map((n) => allocate(n));
  const feeds = batches.map(({ inputs, actions }): Record<string, Feed> => ({ ...inputs, actions }));
  const firsts = rows.map((_, i) => rows.slice(0, i).reduce((a, b) => a + b, 0));
  const explosion = EXPLOSION * (decoderOf(policy.config.decoder).lossUnit === 'nats' ? T * A : 1);
  const schedule = {
    learningRate: config.learning_rate,
    steps: config.schedule_steps ?? config.max_steps,
    warmupFraction: config.warmup_fraction,
    holdFraction: config.hold_fraction,
    initialScale: config.initial_lr_scale,
    finalScale: config.final_lr_scale,
  };

  return {
    async measure(step) {
      const indices = sample(step);
      const losses = await shardThreads.each((shard) => {
        fill(batches[shard], indices.subarray(firsts[shard], firsts[shard] + rows[shard]));
        return { kind: 'measure', shard, step, batch: feeds[shard] };
      });
      const squares = await shardThreads.each((shard) => ({ kind: 'merge', shard, weights }));
      const loss = losses.reduce((sum, one, shard) => sum + weights[shard] * one, 0);
      const gradNorm = Math.sqrt(squares.reduce((sum, one) => sum + one, 0));
      if (Number.isFinite(gradNorm) && loss <= explosion) return { loss, gradNorm };
      const episodes = new Set(Array.from(indices, (i) => episodeId(dataset.episodes[dataset.windows[i].episode])));
      const diverged =
        `loss ${loss}, gradient norm ${gradNorm} (a loss above ${explosion} counts as an explosion). ` +
        `The batch came from: ${[...episodes].join(', ')}.`;
      return { loss, gradNorm, diverged };
    },
    async apply(step) {
      const learningRate = learningRateAt(step, schedule);
      const { beta1, beta2, weight_decay: weightDecay } = config;
      const settings = { learningRate, beta1, beta2, weightDecay, emaDecay: emaDecayAt(step) };
      await shardThreads.each((shard) => ({ kind: 'apply', shard, step, settings }));
      return learningRate;
    },
    [Symbol.dispose]: () => shardThreads[Symbol.dispose](),
  };
}
