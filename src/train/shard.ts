/**
 * A part of every update's work, done by whichever thread: loss and gradient of one shard of the batch, and one segment of
 * the optimizer's arrays. A batch has the same shards on every machine, and what is random in one follows from its key
 * and the step, so a result has the same bits for any number of threads.
 */
import { type Feed, type NodeDevice, onnxruntime } from '../engine/index.ts';
import type { Masks } from '../nn/index.ts';
import { dropoutMask, fold, type Key } from '../random.ts';
import { feeds, layoutOf, type ParameterGroup, type Shape, type Tree } from '../tensor/index.ts';
import type { AdamwSettings } from './adamw.ts';
import { GRADIENT, type ObjectiveReference, openObjective, PARAMETER } from './objective.ts';
import { type OptimizerMemory, openOptimizer } from './optimizer.ts';

/** Two cores are everywhere, and more shards would cost more in operations than their threads save. */
const SHARDS = 2;

/** From Node 22 on, native code takes views of memory that threads share; before, each thread has a copy of the parameters. */
const TAKES_SHARED = Number.parseInt(process.versions.node, 10) >= 22;

/** Rows of each shard: as even as can be, none empty. */
export function shardRows(batchSize: number): number[] {
  const shards = Math.min(SHARDS, batchSize);
  return Array.from({ length: shards }, (_, i) => Math.ceil((batchSize - i) / shards));
}

/** All that a thread must know, as a message can carry it. */
export interface ShardSetup {
  readonly objective: ObjectiveReference;
  /** The parameters that are trained. */
  readonly params: Tree<{ readonly shape: Shape }>;
  readonly optimizer: OptimizerMemory;
  /** Rows of each shard. */
  readonly rows: readonly number[];
  readonly groups: readonly ParameterGroup[];
  readonly key: Key;
  /** What computes, and threads inside one operation. */
  readonly device: NodeDevice;
  readonly threads: number;
}

/** What a thread is asked to do; the numbers of shards and of segments are the same. */
export type ShardTask =
  /** Nothing: answered when the thread is ready. */
  | { readonly kind: 'open' }
  /** Loss and gradient of a shard whose part of the batch this is: its loss. */
  | { readonly kind: 'measure'; readonly shard: number; readonly step: number; readonly batch: Record<string, Feed> }
  /** Adds up the gradients in a segment: the sum of the squares. */
  | { readonly kind: 'merge'; readonly shard: number; readonly weights: readonly number[] }
  /** Updates a segment's parameters. */
  | { readonly kind: 'apply'; readonly shard: number; readonly step: number; readonly settings: AdamwSettings };

export interface ShardThread extends Disposable {
  run(task: ShardTask): Promise<number>;
}

/** @param shards those that this thread will be asked for */
export async function openShards(setup: ShardSetup, shards: readonly number[]): Promise<ShardThread> {
  const { rows, groups, key, device, threads } = setup;
  const engine = onnxruntime({ device });
  const optimizer = await openOptimizer(setup.optimizer);
  const objective = await openObjective(setup.objective);
  const layout = layoutOf(setup.params);
  const copy = TAKES_SHARED ? undefined : new Float32Array(layout.size);
  const parameters = feeds(layout, copy ?? optimizer.state.params, PARAMETER);
  const gradients = optimizer.gradients.map((gradient) => feeds(layout, gradient, GRADIENT));
  const loss = new Float32Array(1);
  const sizes = [...new Set(shards.map((shard) => rows[shard]))];
  const programs = new Map<number, Awaited<ReturnType<typeof open>>>();
  for (const size of sizes) programs.set(size, await open(size));

  async function open(size: number) {
    const { program, masks } = await objective.compile(size, engine, threads);
    return { program, dropouts: masks.flatMap(maskArrays) };
  }

  async function measure(shard: number, step: number, batch: Record<string, Feed>): Promise<number> {
    const { program, dropouts } = programs.get(rows[shard])!;
    const own = fold(key, 'shard', shard);
    copy?.set(optimizer.state.params);
    for (const { name, rate, values } of dropouts) dropoutMask(fold(own, 'dropout', name, step), rate, values);
    const masks = Object.fromEntries(dropouts.map(({ name, values }) => [name, values]));
    const draws = objective.draws(own, step, rows[shard]);
    await program.run({ ...parameters, ...batch, ...draws, ...masks }, { ...gradients[shard], loss });
    return loss[0];
  }

  return {
    async run(task) {
      switch (task.kind) {
        case 'open':
          return 0;
        case 'measure':
          return measure(task.shard, task.step, task.batch);
        case 'merge':
          return optimizer.merge(task.shard, task.weights);
        case 'apply':
          optimizer.update(task.shard, task.step, groups, task.settings);
          return 0;
      }
    },
    [Symbol.dispose]() {
      for (const { program } of programs.values()) program[Symbol.dispose]();
    },
  };
}

function maskArrays({ inputs }: Masks): { name: string; rate: number; values: Float32Array }[] {
  return inputs.map(({ name, shape, rate }) => ({
    name,
    rate,
    values: new Float32Array(shape.reduce((a, b) => a * b, 1)),
  }));
}
