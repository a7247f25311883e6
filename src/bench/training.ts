/**
 * A training step as `nina train` does it, on made-up demonstrations of the tabletop's size: how long it takes does not
 * depend on the numbers. Batch filling, noise, dropout masks, encoder, decoder, optimizer and average are all in it.
 */
import { type Episode, windows } from '../data/index.ts';
import { drawModel } from '../decoders/index.ts';
import { blueprint, type PolicyStatistics } from '../policy/index.ts';
import { fold, key, normals } from '../random.ts';
import { actionSize, ENTITY_SIZE, PANDA, stateSize } from '../robot/index.ts';
import { mapTree, pack, type Spec } from '../tensor/index.ts';
import { windowBatches } from '../train/batches.ts';
import type { TrainConfig } from '../train/config.ts';
import { explosionOf, imitation } from '../train/imitation.ts';
import { fill, initialState, optimizerMemory } from '../train/optimizer.ts';
import { decoderConfig, encoderConfig } from '../train/parts.ts';
import { shardRows } from '../train/shard.ts';
import { prepareUpdate } from '../train/update.ts';
import type { Contestant } from './measure.ts';

/** One model's update on so many threads. */
export interface TrainingStep extends Contestant, Disposable {
  readonly workers: number;
  readonly parameters: number;
  /** What it took to compile and to start the threads. */
  readonly buildMs: number;
}

/** Of one scene: its entities, and the steps that were recorded of it. */
const SCENE = ['milk', 'butter', 'alphabet soup', 'basket', 'ketchup', 'salad dressing'];
const INSTRUCTION = 'pick up the alphabet soup and place it in the basket';
const STEPS = 1000;

export async function openTrainingStep(name: string, config: TrainConfig, workers: number): Promise<TrainingStep> {
  const episodes = [madeUp()];
  const { encoder, decoder, training } = config;
  const data = { episodes: [{ ...episodes[0], where: 'made up' }], robot: PANDA, assets: {} };
  const policy = { encoder: encoderConfig(encoder, data), decoder: decoderConfig(decoder), robot: PANDA };
  const startMs = performance.now();
  const plan = blueprint(key(0), policy);
  const { params, buffers } = drawModel(plan);
  const { flat } = pack(params);
  const optimizer = await optimizerMemory(flat.length, shardRows(training.batch_size).length);
  fill(optimizer, initialState(flat));
  const dataset = { episodes, windows: windows(episodes) };
  const parts = { config: policy, statistics: standard(), assets: {} };
  const batches = windowBatches(dataset, parts, shardRows(training.batch_size), key(1));
  const shapes = mapTree(plan.params, ({ shape }: Spec) => ({ shape }));
  const update = await prepareUpdate({
    config: training,
    objective: imitation({ config: policy, model: { params: shapes, buffers } }),
    ...{ params: plan.params, rules: [], optimizer, batches, workers, explosion: explosionOf(policy) },
    key: key(1),
    device: 'cpu',
  });
  const buildMs = performance.now() - startMs;
  let step = 0;
  return {
    name,
    workers,
    parameters: flat.length,
    buildMs,
    async run() {
      await update.measure(step);
      await update.apply(step++);
    },
    [Symbol.dispose]: () => update[Symbol.dispose](),
  };
}

function madeUp(): Episode {
  const numbers = (what: string, width: number) => normals(fold(key(2), what), STEPS * width);
  return {
    ...{ file: 'made up', demo: 0, suite: '', task: '', instruction: INSTRUCTION, robot: PANDA, length: STEPS },
    actions: numbers('actions', actionSize(PANDA)).map((x) => Math.max(-1, Math.min(1, x))),
    state: numbers('state', stateSize(PANDA)),
    poses: numbers('poses', SCENE.length * ENTITY_SIZE),
    views: {},
    names: SCENE,
    categories: SCENE,
  };
}

function standard(): PolicyStatistics {
  const moments = (n: number) => ({ mean: new Array<number>(n).fill(0), std: new Array<number>(n).fill(1) });
  return { encoder: { state: moments(stateSize(PANDA)), position: moments(3), joint: moments(1) } };
}
