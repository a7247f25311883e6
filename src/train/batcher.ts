/** Windows of demonstrations as the numbers of a batch, under the names of the graph's inputs. */
import { observationAt, writeChunk } from '../data/index.ts';
import { type Arrays, encoderOf } from '../encoders/index.ts';
import type { PolicyConfig, PolicyParts } from '../policy/index.ts';
import { actionSize, normaliseActions } from '../robot/index.ts';
import type { Dataset } from './dataset.ts';
import type { Freeze } from './frozen.ts';
import { type Eyes, observe } from './observe.ts';
import { KEPT, keptShape, readInputs } from './seen.ts';

/** All of a policy that batches depend on. */
export interface PolicyOf extends Pick<PolicyParts, 'statistics' | 'assets'> {
  readonly config: Omit<PolicyConfig, 'acting'>;
}

/** The numbers of one batch; reused from step to step. */
export interface Batch {
  /** What the graph reads of observations. */
  readonly inputs: Arrays;
  /** [B, T, A], each dimension's range scaled to [-1, 1] */
  readonly actions: Float32Array;
}

/** Fills batches of one dataset. */
export interface Batcher {
  allocate(B: number): Batch;
  /** Writes the windows with these indices, in order. */
  fill(batch: Batch, indices: ArrayLike<number>): void;
}

/** What is kept of a window's frame, as row `row` of the array. */
export type ReadKept = (window: number, out: Float32Array, row: number) => void;

/** What its batches read beside the numbers in memory. */
export interface Sources {
  /** Where the encoder reads pictures, unless what is made of them is kept. */
  readonly eyes?: Eyes;
  /** Where something is frozen. */
  readonly kept?: ReadKept;
}

export function batcher(dataset: Dataset, policy: PolicyOf, freeze: Freeze, { eyes, kept }: Sources = {}): Batcher {
  const { config, statistics, assets } = policy;
  const writer = encoderOf(config.encoder).writer(config.encoder, statistics.encoder, assets);
  const writeActions = actionWriter(dataset, config);
  return {
    allocate: (B) => allocate(config, freeze, B),
    fill({ inputs, actions }, indices) {
      for (let row = 0; row < indices.length; row++) {
        const { episode: e, start } = dataset.windows[indices[row]];
        const episode = dataset.episodes[e];
        const observation = eyes ? observe(eyes, episode, start) : observationAt(episode, episode, start);
        if (freeze !== 'encoder') writer.write(observation, inputs, row);
        kept?.(indices[row], inputs[KEPT] as Float32Array, row);
        writeActions(indices[row], actions, row);
      }
    },
  };
}

/** @returns writes the actions of a window as row `row` of an array [B, T, A] */
export function actionWriter(
  { episodes, windows }: Dataset,
  { decoder, robot }: Pick<PolicyConfig, 'decoder' | 'robot'>,
): (window: number, actions: Float32Array, row: number) => void {
  const D = decoder.chunk_length * actionSize(robot);
  return (window, actions, row) => {
    const { episode, start } = windows[window];
    const chunk = actions.subarray(row * D, (row + 1) * D);
    writeChunk(episodes[episode], start, chunk);
    normaliseActions(robot.action, chunk);
  };
}

function allocate(config: PolicyOf['config'], freeze: Freeze, B: number): Batch {
  const { encoder, decoder, robot } = config;
  const read = readInputs(config, freeze, B);
  const arrays = Object.entries(encoderOf(encoder).arrays(encoder, B)).filter(([name]) => Object.hasOwn(read, name));
  const kept = keptShape(config, freeze, B)?.reduce((a, b) => a * b, 1);
  return {
    inputs: { ...Object.fromEntries(arrays), ...(kept !== undefined && { [KEPT]: new Float32Array(kept) }) },
    actions: new Float32Array(B * decoder.chunk_length * actionSize(robot)),
  };
}
