/** The demonstrations as a training run sees them: split by episode, measured, and turned into batches of numbers. */
import {
  ACTION_NAMES,
  ACTION_SIZE,
  dataHash,
  ENTITY_SIZE,
  type Episode,
  PROPRIO_NAMES,
  PROPRIO_SIZE,
  plausibility,
  readDemonstrations,
  requireEntities,
  splitByMasks,
  splitEpisodes,
  type Window,
  windows,
  writeChunk,
} from '../data/index.ts';
import * as state from '../encoders/state/index.ts';
import { checkActions, LIBERO_ACTION, type PolicyStatistics } from '../policy/index.ts';
import { fold, key } from '../random.ts';
import { momentsOf } from '../robot/index.ts';

/** Episodes with the windows that are cut from them. */
export interface Dataset {
  readonly episodes: readonly Episode[];
  readonly windows: readonly Window[];
}

export interface Demonstrations {
  readonly train: Dataset;
  readonly validation: Dataset;
  /** Of the training part alone. */
  readonly statistics: PolicyStatistics;
  /** sha256 over the content of all episodes. */
  readonly hash: string;
}

/**
 * @param notice told, in one sentence each, what in the data should be known and is no error
 * @throws NinaError for unreadable or unsuitable demonstrations.
 */
export async function loadDemonstrations(
  source: string,
  seed: number,
  validationFraction: number,
  notice: (text: string) => void,
): Promise<Demonstrations> {
  const found = await readDemonstrations(source, notice);
  const masked = splitByMasks(found, notice);
  const episodes = found.filter(({ split }) => split !== 'neither');
  requireEntities(episodes);
  for (const episode of episodes) {
    checkActions(LIBERO_ACTION, episode.actions, episodeId(episode));
    state.requireWords(episode, episodeId(episode));
  }
  for (const finding of plausibility(episodes)) notice(finding);
  const { train, validation } = masked ?? splitEpisodes(episodes, validationFraction, fold(key(seed), 'validation'));
  return {
    train: { episodes: train, windows: windows(train) },
    validation: { episodes: validation, windows: windows(validation) },
    statistics: measure(train),
    hash: dataHash(episodes),
  };
}

/** How an episode is named in messages. */
export const episodeId = ({ file, demo }: Episode) => `${file}#demo_${demo}`;

/** The first thing that was seen in the data: an observation for a policy's self-test. */
export function firstObservation({ episodes }: Dataset): state.StateObservation {
  const { proprio, entities, categories, instruction } = episodes[0];
  return {
    proprio: proprio.subarray(0, PROPRIO_SIZE),
    entities: entities.subarray(0, categories.length * ENTITY_SIZE),
    categories,
    instruction,
  };
}

function measure(episodes: readonly Episode[]): PolicyStatistics {
  const column = (offset: number, width: number) =>
    episodes.map(({ entities }) => {
      const rows = entities.length / ENTITY_SIZE;
      const out = new Float32Array(rows * width);
      for (let row = 0; row < rows; row++) {
        const from = row * ENTITY_SIZE + offset;
        out.set(entities.subarray(from, from + width), row * width);
      }
      return out;
    });
  const tables = {
    proprio: [episodes.map((e) => e.proprio), PROPRIO_NAMES],
    position: [column(0, 3), ['x', 'y', 'z']],
    joint: [column(7, 1), ['joint']],
    actions: [episodes.map((e) => e.actions), ACTION_NAMES],
  } as const;
  const of = ([rows, names]: readonly [readonly Float32Array[], readonly string[]]) => ({ ...momentsOf(rows, names) });
  return {
    proprio: of(tables.proprio),
    position: of(tables.position),
    joint: of(tables.joint),
    actions: of(tables.actions),
  };
}

/** The numbers of one batch; reused from step to step. */
export interface Batch {
  readonly state: state.StateArrays;
  /** [B, T, 7] */
  readonly actions: Float32Array;
}

/** Fills batches of one dataset. */
export interface Batcher {
  allocate(B: number): Batch;
  /** Writes the windows with these indices, in order. */
  fill(batch: Batch, indices: ArrayLike<number>): void;
}

export function batcher(
  { episodes, windows: all }: Dataset,
  config: state.StateConfig,
  stats: PolicyStatistics,
  T: number,
): Batcher {
  // Episodes of one task share their scene.
  const known = new Map<string, state.Scene>();
  const scenes = episodes.map(({ categories, instruction }) => {
    const name = JSON.stringify([categories, instruction]);
    const scene = known.get(name) ?? state.scene(config, categories, instruction);
    known.set(name, scene);
    return scene;
  });
  return {
    allocate: (B) => ({ state: state.stateArrays(config, B), actions: new Float32Array(B * T * ACTION_SIZE) }),
    fill(batch, indices) {
      for (let row = 0; row < indices.length; row++) {
        const { episode: e, start } = all[indices[row]];
        const episode = episodes[e];
        const width = episode.categories.length * ENTITY_SIZE;
        const proprio = episode.proprio.subarray(start * PROPRIO_SIZE, (start + 1) * PROPRIO_SIZE);
        const entities = episode.entities.subarray(start * width, (start + 1) * width);
        state.writeState(stats, scenes[e], proprio, entities, batch.state, row);
        writeChunk(episode, start, T, batch.actions, row * T * ACTION_SIZE);
      }
    },
  };
}
