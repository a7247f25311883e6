/** The demonstrations as a training run sees them: split by episode, measured, and turned into batches of numbers. */
import {
  dataHash,
  type Episode,
  episodeId,
  loadEpisodes,
  observationAt,
  openDemonstrations,
  plausibility,
  splitByMasks,
  splitEpisodes,
  type Window,
  windows,
  writeChunk,
} from '../data/index.ts';
import { type Arrays, type Assets, type EncoderConfig, encoderOf } from '../encoders/index.ts';
import type { PolicyConfig, PolicyParts, PolicyStatistics } from '../policy/index.ts';
import { fold, key } from '../random.ts';
import { actionSize, momentsOf, normaliseActions, type Robot } from '../robot/index.ts';
import { type Chosen, encoderConfig } from './parts.ts';

/** Episodes with the windows that are cut from them. */
export interface Dataset {
  readonly episodes: readonly Episode[];
  readonly windows: readonly Window[];
}

export interface Demonstrations {
  readonly robot: Robot;
  /** The encoder for this data and robot. */
  readonly encoder: EncoderConfig;
  readonly assets: Assets;
  readonly train: Dataset;
  readonly validation: Dataset;
  /** Of the training part alone. */
  readonly statistics: PolicyStatistics;
  /** sha256 over the content of all episodes. */
  readonly hash: string;
}

/**
 * @param encoder as a recipe chooses it
 * @param assets the encoder's
 * @param notice told, in one sentence each, what in the data should be known and is no error
 * @throws NinaError for unreadable or unsuitable demonstrations.
 */
export async function loadDemonstrations(
  source: string,
  encoder: Chosen,
  assets: Assets,
  seed: number,
  validationFraction: number,
  notice: (text: string) => void,
): Promise<Demonstrations> {
  const found = await loadEpisodes(await openDemonstrations(source, notice), notice);
  const masked = splitByMasks(found, notice);
  const episodes = found.filter(({ split }) => split !== 'neither');
  const { robot } = episodes[0];
  const described = episodes.map((episode) => ({ ...episode, where: episodeId(episode) }));
  const config = encoderConfig(encoder, { episodes: described, robot, assets });
  for (const finding of plausibility(episodes)) notice(finding);
  const { train, validation } = masked ?? splitEpisodes(episodes, validationFraction, fold(key(seed), 'validation'));
  const actions = momentsOf(
    train.map((episode) => episode.actions),
    robot.action.dimensions.map(({ name }) => name),
  );
  return {
    robot,
    encoder: config,
    assets,
    train: { episodes: train, windows: windows(train) },
    validation: { episodes: validation, windows: windows(validation) },
    statistics: { encoder: encoderOf(config).measure(train, robot), actions },
    hash: dataHash(episodes),
  };
}

/** The numbers of one batch; reused from step to step. */
export interface Batch {
  /** Of the encoder's inputs, by their names. */
  readonly inputs: Arrays;
  /** [B, T, A], each dimension's range scaled to [-1, 1] */
  readonly actions: Float32Array;
}

/** All of a policy that batches depend on. */
export interface PolicyOf extends Pick<PolicyParts, 'statistics' | 'assets'> {
  readonly config: Omit<PolicyConfig, 'acting'>;
}

/** Fills batches of one dataset. */
export interface Batcher {
  allocate(B: number): Batch;
  /** Writes the windows with these indices, in order. */
  fill(batch: Batch, indices: ArrayLike<number>): void;
}

export function batcher(
  { episodes, windows: all }: Dataset,
  { config: { encoder: config, decoder, robot }, statistics, assets }: PolicyOf,
): Batcher {
  const encoder = encoderOf(config);
  const writer = encoder.writer(config, statistics.encoder, assets);
  const D = decoder.chunk_length * actionSize(robot);
  return {
    allocate: (B) => ({ inputs: encoder.arrays(config, B), actions: new Float32Array(B * D) }),
    fill({ inputs, actions }, indices) {
      for (let row = 0; row < indices.length; row++) {
        const { episode: e, start } = all[indices[row]];
        const episode = episodes[e];
        writer.write(observationAt(episode, episode, start), inputs, row);
        const chunk = actions.subarray(row * D, (row + 1) * D);
        writeChunk(episode, start, chunk);
        normaliseActions(robot.action, chunk);
      }
    },
  };
}
