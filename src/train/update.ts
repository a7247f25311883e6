/**
 * One update of the weights. Batch, noise and dropout masks are drawn from keys folded with the step, so that an update
 * is a function of the state and the step alone. The batch is cut into shards, which threads compute at the same time;
 * their losses and gradients are added up in one order. What is minimised is the objective's to know (objective.ts).
 */
import type { NodeDevice } from '../engine/index.ts';
import type { Key } from '../random.ts';
import { type GroupRule, groupsOf, mapTree, type Spec, type Tree } from '../tensor/index.ts';
import type { Batches } from './batches.ts';
import type { TrainingSettings } from './config.ts';
import type { ObjectiveReference } from './objective.ts';
import type { OptimizerMemory } from './optimizer.ts';
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

export interface UpdateOptions {
  readonly config: Pick<
    TrainingSettings,
    | 'batch_size'
    | 'threads'
    | 'max_steps'
    | 'learning_rate'
    | 'schedule_steps'
    | 'warmup_fraction'
    | 'hold_fraction'
    | 'initial_lr_scale'
    | 'final_lr_scale'
    | 'beta1'
    | 'beta2'
    | 'weight_decay'
  >;
  readonly objective: ObjectiveReference;
  /** The parameters that are trained: the layout of the optimizer's arrays. */
  readonly params: Tree<Spec>;
  /** What holds for some of them. */
  readonly rules: readonly GroupRule[];
  readonly optimizer: OptimizerMemory;
  /** Cut as `shardRows(config.batch_size)` says. They are not disposed of here. */
  readonly batches: Batches;
  /** A loss beyond which it counts as an explosion. */
  readonly explosion: number;
  readonly key: Key;
  /** Threads that share it, and what they compute on. */
  readonly workers: number;
  readonly device: NodeDevice;
}

export async function prepareUpdate(options: UpdateOptions): Promise<Update> {
  const { config, objective, params, rules, optimizer, batches, explosion, key, workers, device } = options;
  const { batch_size: B, threads } = config;
  const rows = shardRows(B);
  const weights = rows.map((n) => n / B);
  const groups = groupsOf(params, rules);
  const shapes = mapTree(params, ({ shape }: Spec) => ({ shape }));
  const shardThreads = await openShardThreads(
    { objective, params: shapes, optimizer, rows, groups, key, device, threads },
    workers,
  );
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
      const batch = await batches.of(step);
      const losses = await shardThreads.each((shard) => ({ kind: 'measure', shard, step, batch: batch(shard) }));
      const squares = await shardThreads.each((shard) => ({ kind: 'merge', shard, weights }));
      const loss = losses.reduce((sum, one, shard) => sum + weights[shard] * one, 0);
      const gradNorm = Math.sqrt(squares.reduce((sum, one) => sum + one, 0));
      if (Number.isFinite(gradNorm) && loss <= explosion) return { loss, gradNorm };
      const diverged =
        `loss ${loss}, gradient norm ${gradNorm} (a loss above ${explosion} counts as an explosion). ` +
        `The batch came from: ${batches.origin(step)}.`;
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
