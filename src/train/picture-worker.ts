/**
 * Worker thread: makes the encoder's inputs of a batch from pictures, while the batch before it is computed. It holds no
 * episode: what the observations say beside their pictures comes with each job, and the pictures from the files.
 */
import type { PicturedEpisode } from '../data/index.ts';
import { type Arrays, encoderOf } from '../encoders/index.ts';
import { serveJobs } from '../jobs/index.ts';
import type { Key } from '../random.ts';
import type { Observation } from '../robot/index.ts';
import type { PolicyOf } from './batcher.ts';
import { openEyes } from './observe.ts';

/** One row of a batch. */
export interface PictureRow {
  readonly episode: PicturedEpisode;
  readonly step: number;
  /** Without its pictures. */
  readonly observation: Observation;
  /** What augmentation follows from; none without it. */
  readonly draw?: Key;
}

/** The rows of each shard. */
export type PictureJob = readonly (readonly PictureRow[])[];

serveJobs<PolicyOf, PictureJob, readonly Arrays[]>(async ({ config, statistics, assets }) => {
  const encoder = encoderOf(config.encoder);
  const writer = encoder.writer(config.encoder, statistics.encoder, assets);
  const eyes = await openEyes(config.encoder);
  return async (shards, { transfer }) => {
    const batches: Arrays[] = [];
    for (const rows of shards) {
      const arrays = encoder.arrays(config.encoder, rows.length);
      for (const [i, { episode, step, observation, draw }] of rows.entries())
        writer.write({ ...observation, images: eyes.look(episode, step) }, arrays, i, draw);
      for (const { buffer } of Object.values(arrays)) transfer(buffer as ArrayBuffer);
      batches.push(arrays);
    }
    return batches;
  };
});
