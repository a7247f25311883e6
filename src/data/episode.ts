/**
 * Demonstrations as whoever trains sees them, wherever they are kept: headers at once, numbers and pictures when they are
 * asked for. Numbers of all episodes fit into memory; pictures do not, so no one holds more of them than a slice.
 */
import { NinaError } from '../errors.ts';
import { ENTITY_SIZE, type Observation, type Picture, type Robot, stateSize } from '../robot/index.ts';
import type { Split } from './masks.ts';

/** What is known of an episode before its numbers are read. */
export interface EpisodeHeader {
  readonly file: string;
  /** N of demo_N. */
  readonly demo: number;
  readonly suite: string;
  readonly task: string;
  readonly instruction: string;
  readonly robot: Robot;
  /** Where the file's own split puts it; absent where the file has none. */
  readonly split?: Split;
  /** T: control steps. */
  readonly length: number;
  /** Of the N entities, whose poses are known. */
  readonly names: readonly string[];
  /** N categories. */
  readonly categories: readonly string[];
  /** Pictures that can be asked for, by the name of the view. */
  readonly views: Readonly<Record<string, { readonly width: number; readonly height: number }>>;
}

/** Rows of n consecutive steps, row-major; each is what the policy sees before that step's action. */
export interface Frames {
  /** [n, A] in the robot's units and range. */
  readonly actions: Float32Array;
  /** [n, P] as the robot's `state` names it. */
  readonly state: Float32Array;
  /** [n, N, 8], see `ENTITY_SIZE`; empty (and N = 0) where none are known. */
  readonly poses: Float32Array;
  /** By view, one picture a step. */
  readonly images?: Readonly<Record<string, readonly Picture[]>>;
  /** Actions that missed their range by a rounding and were put on its bound. */
  readonly rounded?: readonly Rounded[];
}

export interface Rounded {
  /** 'FILE: /data/demo_N/actions' */
  readonly title: string;
  readonly step: number;
  readonly value: number;
}

/** A whole episode without its pictures. */
export type Episode = EpisodeHeader & Frames;

export interface EpisodeSource {
  readonly headers: readonly EpisodeHeader[];
  /**
   * Steps [from, to) of an episode.
   * @param episode index into `headers`
   * @param views whose pictures are wanted too
   * @throws NinaError for numbers that are not there, not finite or outside the robot's range.
   */
  frames(episode: number, from: number, to: number, views?: readonly string[]): Promise<Frames>;
}

/** How an episode is named in messages. */
export const episodeId = ({ file, demo }: Pick<EpisodeHeader, 'file' | 'demo'>) => `${file}#demo_${demo}`;

/** What the policy saw at row `step` of an episode, or of a slice of one. Numbers are views of the rows. */
export function observationAt(
  { robot, categories, instruction }: Pick<EpisodeHeader, 'robot' | 'categories' | 'instruction'>,
  { state, poses, images }: Frames,
  step: number,
): Observation {
  const P = stateSize(robot);
  const width = categories.length * ENTITY_SIZE;
  return {
    state: state.subarray(step * P, (step + 1) * P),
    ...(categories.length > 0 && { entities: { categories, poses: poses.subarray(step * width, (step + 1) * width) } }),
    ...(images && {
      images: Object.fromEntries(Object.entries(images).map(([view, pictures]) => [view, pictures[step]])),
    }),
    instruction,
  };
}

/** @throws NinaError for steps that an episode does not have. */
export function requireSteps(
  { length, ...header }: Pick<EpisodeHeader, 'file' | 'demo' | 'length'>,
  from: number,
  to: number,
): void {
  if (!(Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from < to && to <= length))
    throw new NinaError(
      `${episodeId(header)} has the steps 0 to ${length - 1}; steps ${from} to ${to - 1} were asked for.`,
    );
}
