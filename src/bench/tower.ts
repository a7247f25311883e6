/**
 * Forward and backward pass of an image tower that a laptop trains: DaViT of 1.7 million parameters on two pictures a row.
 * It is an objective of the training's threads, so that two cores have a shard each, as in `nina train`; no optimizer.
 */
import { type Florence2Config, schemas } from '../encoders/florence2/config.ts';
import { tower } from '../encoders/florence2/davit.ts';
import { blueprint } from '../encoders/florence2/params.ts';
import { ANY } from '../encoders/florence2/presets.ts';
import type { Engine } from '../engine/index.ts';
import { noDropout } from '../nn/index.ts';
import { key, normals } from '../random.ts';
import { byPath, gradOf, input, materialise, mean, pack, size, square, symbols } from '../tensor/index.ts';
import { shapesOf } from '../train/frozen.ts';
import { GRADIENT, type Objective, PARAMETER } from '../train/objective.ts';
import { fill, initialState, optimizerMemory } from '../train/optimizer.ts';
import { shardRows } from '../train/shard.ts';
import { openShardThreads } from '../train/shard-threads.ts';
import type { TrainingStep } from './training.ts';

/** Of the tower alone; what follows it is as small as it can be, and not computed. */
const CONFIG: Florence2Config = schemas(ANY).schema.parse({
  name: ANY.name,
  dims: [32, 64, 96, 192],
  heads: [2, 4, 6, 12],
  groups: [2, 4, 6, 12],
  depths: [1, 1, 2, 1],
  patch_sizes: [7, 3, 3, 3],
  strides: [4, 2, 2, 2],
  pads: [3, 1, 1, 1],
  window: 7,
  ...{ width: 1, layers: 1, encoder_heads: 1, ffn: 1, vocabulary: 1, positions: 128 },
});

/** Rows of a batch unless told otherwise. */
export const TOWER_BATCH = 32;
const VIEWS = CONFIG.views.length;

/** Pictures of so many rows. */
const pixelsShape = (rows: number) => [rows * VIEWS, 3, CONFIG.image_size, CONFIG.image_size];

/** What the threads open: the module is its own address. */
export function open(): Objective {
  return {
    async compile(rows: number, engine: Engine, threads: number) {
      const p = symbols(plan(), PARAMETER);
      const { ends } = tower(CONFIG, p, input('pixels', pixelsShape(rows)), noDropout);
      const loss = mean(square(ends[ends.length - 1]));
      const program = await engine.compile({ loss, ...byPath(gradOf(loss, p), GRADIENT) }, { threads });
      return { program, masks: [] };
    },
    draws: () => ({}),
  };
}

const plan = () => blueprint(key(0), CONFIG).vision_tower;

/** @param threads inside one operation */
export async function openTower(batch: number, workers: number, threads: number): Promise<TrainingStep> {
  const startMs = performance.now();
  const { flat } = pack(materialise(plan()));
  const rows = shardRows(batch);
  const optimizer = await optimizerMemory(flat.length, rows.length);
  fill(optimizer, initialState(flat));
  const objective = { module: import.meta.url, options: undefined };
  const setup = { objective, params: shapesOf(plan()), optimizer, rows, groups: [], key: key(1), threads };
  const shards = await openShardThreads({ ...setup, device: 'cpu' }, workers);
  const batches = rows.map((n, i) => ({ pixels: normals(key(2 + i), size(pixelsShape(n))) }));
  return {
    name: `Image tower, ${batch} x ${VIEWS} pictures of ${CONFIG.image_size} px, gradient`,
    workers,
    parameters: flat.length,
    buildMs: performance.now() - startMs,
    async run() {
      await shards.each((shard) => ({ kind: 'measure', shard, step: 0, batch: batches[shard] }));
    },
    [Symbol.dispose]: () => shards[Symbol.dispose](),
  };
}
