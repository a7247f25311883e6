/** The threads of an update, as compiled: they agree in every bit, and when one fails or dies that is told. */
import { once } from 'node:events';
import * as path from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decoderSchema, drawModel } from '../../src/decoders/index.ts';
import { stateConfigSchema, stateEncoder } from '../../src/encoders/state/index.ts';
import type { PolicyConfig } from '../../src/policy/index.ts';
import { blueprint } from '../../src/policy/index.ts';
import { key, normals } from '../../src/random.ts';
import { PANDA } from '../../src/robot/index.ts';
import { groupsOf, mapTree, pack, type Spec } from '../../src/tensor/index.ts';
import type { ObjectiveReference } from '../../src/train/objective.ts';
import { fill, initialState, openOptimizer, optimizerMemory } from '../../src/train/optimizer.ts';
import { type ShardSetup, type ShardTask, shardRows } from '../../src/train/shard.ts';
import type { openShardThreads } from '../../src/train/shard-threads.ts';

const compiled = (name: string) => path.join(import.meta.dirname, '../../dist/train', name);

const encoder = stateConfigSchema.parse({
  name: 'state',
  ...{ dim: 16, words: ['lift'], max_words: 1, max_entities: 1, state_size: 11, end_effector: 0 },
});
const policy: Omit<PolicyConfig, 'acting'> = {
  encoder,
  decoder: decoderSchema.parse({ name: 'nina', action_dim: 7, n_layers: 2, affine_dim: 16, dropout: 0.1 }),
  robot: PANDA,
};
const B = 5;
const rows = shardRows(B);
const plan = blueprint(key(1), policy);
const { params, buffers } = drawModel(plan);
const { layout, flat } = pack(params);
const shapes = mapTree(params, ({ shape }: Spec) => ({ shape }));
const batches = rows.map((n, shard) => ({
  ...stateEncoder.arrays(encoder, n),
  actions: normals(key(shard), n * 70).map(Math.tanh),
}));
const measure = (shard: number): ShardTask => ({ kind: 'measure', shard, step: 3, batch: batches[shard] });

let open: typeof openShardThreads;
let objective: ObjectiveReference;
const born: Worker[] = [];
const note = (worker: Worker) => born.push(worker);
beforeAll(async () => {
  ({ openShardThreads: open } = (await import(compiled('shard-threads.js'))) as {
    openShardThreads: typeof openShardThreads;
  });
  const { imitation } = (await import(compiled('imitation.js'))) as typeof import('../../src/train/imitation.ts');
  objective = imitation({ config: policy, model: { params: shapes, buffers } });
  process.on('worker', note);
});
afterAll(() => process.off('worker', note));

async function setup(): Promise<ShardSetup> {
  const optimizer = await optimizerMemory(layout.size, rows.length);
  fill(optimizer, initialState(flat));
  return {
    objective,
    params: shapes,
    ...{ optimizer, rows, groups: groupsOf(plan.params), key: key(2), device: 'cpu', threads: 1 },
  };
}

test('losses, gradients and weights have the same bits for any number of threads', async () => {
  const results = [];
  for (const workers of [1, 2, 4]) {
    const own = await setup();
    using threads = await open(own, workers);
    const losses = await threads.each(measure);
    const squares = await threads.each((shard) => ({ kind: 'merge', shard, weights: rows.map((n) => n / B) }));
    const settings = { learningRate: 0.01, beta1: 0.9, beta2: 0.95, weightDecay: 0.05, emaDecay: 0.5 };
    await threads.each((shard) => ({ kind: 'apply', shard, step: 3, settings }));
    const { state, gradients } = await openOptimizer(own.optimizer);
    results.push({ losses, squares, state: structuredClone(state), gradient: gradients[0].slice() });
  }
  expect(results[0].losses).toHaveLength(2);
  expect(results[0].state.params).not.toEqual(flat);
  for (const result of results) expect(result).toEqual(results[0]);
});

test('what fails in another thread is told where its result is awaited', async () => {
  using threads = await open(await setup(), 2);
  const { actions, ...rest } = batches[1];
  const broken = threads.each((shard) =>
    shard === 1 ? { kind: 'measure', shard, step: 0, batch: rest } : measure(shard),
  );
  await expect(broken).rejects.toThrow(/Input actions \[2, 10, 7\] was not fed/);
  expect(actions).toHaveLength(2 * 70);
  expect(await threads.each(measure)).toHaveLength(2);
});

test('a thread that has died ends the training with a sentence', async () => {
  using threads = await open(await setup(), 2);
  await threads.each(measure);
  await born.at(-1)!.terminate();
  const sentence = 'A worker stopped by itself (exit code 1).';
  await expect(threads.each(measure)).rejects.toThrow(sentence);
  await expect(threads.each(measure)).rejects.toThrow(sentence);
});

test('threads end when they are disposed of', async () => {
  const threads = await open(await setup(), 2);
  const exited = once(born.at(-1)!, 'exit');
  await threads.each(measure);
  threads[Symbol.dispose]();
  await exited;
});
