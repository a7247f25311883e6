/**
 * Batches from pictures: a thread reads and preprocesses those of the next step while this one is computed. Which
 * windows they are, and how they are augmented, follows from the key and the step, so nothing but time depends on it.
 */
import { requireAddressSpace } from '../address-space.ts';
import { type Episode, observationAt } from '../data/index.ts';
import type { Arrays } from '../encoders/index.ts';
import { openThread, THREAD_BYTES } from '../jobs/index.ts';
import { fold, type Key } from '../random.ts';
import { actionSize } from '../robot/index.ts';
import { actionWriter, type PolicyOf } from './batcher.ts';
import type { Batches, Sample } from './batches.ts';
import type { Dataset } from './dataset.ts';
import type { PictureJob, PictureRow } from './picture-worker.ts';

/** @throws NinaError when address space is too short for the thread. */
export function openPictureBatches(
  dataset: Dataset,
  { config, statistics, assets }: PolicyOf,
  sample: Sample,
  key: Key,
): Batches {
  requireAddressSpace('A thread that reads pictures needs', THREAD_BYTES);
  const setup: PolicyOf = { config, statistics, assets };
  // Compiled code: Node 20 does not run TypeScript.
  const thread = openThread(new URL('./picture-worker.js', import.meta.url), setup);
  const writeActions = actionWriter(dataset, config);
  const D = config.decoder.chunk_length * actionSize(config.robot);

  const begin = (step: number) => {
    let row = 0;
    const job: PictureJob = sample.of(step).map((windows) =>
      Array.from(windows, (window): PictureRow => {
        const { episode: e, start } = dataset.windows[window];
        const episode = dataset.episodes[e];
        return { ...pictureRow(episode, start), draw: fold(key, 'augment', step, row++) };
      }),
    );
    const inputs = thread.run(job) as Promise<readonly Arrays[]>;
    // Told to who waits for it; until then it must not count as unhandled.
    inputs.catch(() => {});
    return { step, inputs };
  };

  let ahead: ReturnType<typeof begin> | undefined;
  return {
    async of(step) {
      // The thread does one thing at a time.
      if (ahead && ahead.step !== step) await ahead.inputs;
      const now = ahead?.step === step ? ahead : begin(step);
      const inputs = await now.inputs;
      ahead = begin(step + 1);
      const shards = sample.of(step);
      return (shard) => {
        const actions = new Float32Array(shards[shard].length * D);
        for (const [row, window] of shards[shard].entries()) writeActions(window, actions, row);
        return { ...inputs[shard], actions };
      };
    },
    origin: sample.origin,
    [Symbol.dispose]: () => void thread.close(),
  };
}

/** As a message carries it: one with a view of an episode's numbers would carry all of them. */
export function pictureRow(episode: Episode, step: number): PictureRow {
  const { file, demo, length, views } = episode;
  const { state, entities, ...rest } = observationAt(episode, episode, step);
  const observation = {
    ...rest,
    ...(state && { state: Float32Array.from(state) }),
    ...(entities && { entities: { ...entities, poses: Float32Array.from(entities.poses) } }),
  };
  return { episode: { file, demo, length, views }, step, observation };
}
