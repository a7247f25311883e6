/** The demonstrations as a training run sees them: split by episode, and measured. */
import {
  dataHash,
  type Episode,
  episodeId,
  loadEpisodes,
  openDemonstrations,
  plausibility,
  splitByMasks,
  splitEpisodes,
  type Window,
  windows,
} from '../data/index.ts';
import { type Assets, type EncoderConfig, encoderOf } from '../encoders/index.ts';
import type { PolicyStatistics } from '../policy/index.ts';
import { fold, key } from '../random.ts';
import { momentsOf, type Robot } from '../robot/index.ts';
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
    statistics: { encoder: encoderOf(config).measure(train, robot, config), actions },
    hash: dataHash(episodes),
  };
}
