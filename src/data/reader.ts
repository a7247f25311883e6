/**
 * Demonstration files (the layout is at the head of writer.ts) as a source of episodes. Opening reads what each episode is
 * and checks that its datasets fit together; its numbers and pictures are read, and checked, when they are asked for.
 * LIBERO's own files read too; they hold no `obs/entities`, so their episodes have no entities.
 */
import { NinaError } from '../errors.ts';
import { requireSameRobot } from '../robot/index.ts';
import { readActions } from './actions.ts';
import { type Episode, type EpisodeHeader, type EpisodeSource, requireSteps } from './episode.ts';
import { readFinite } from './finite.ts';
import { readFrames, readViews } from './frames.ts';
import { find, kindOf, namesIn, type Place } from './hdf5/links.ts';
import { shapeOf } from './hdf5/metadata.ts';
import { requireDataset } from './hdf5/numbers.ts';
import { readHdf5 } from './hdf5/open-files.ts';
import { requireText, text, texts } from './hdf5/texts.ts';
import { dataGroup, type FileHeader, findDemo, listDemos, otherDemos, readHeader } from './header.ts';
import { loadEpisodes } from './load.ts';
import { readMasks } from './masks.ts';
import { demonstrationFiles } from './walk.ts';

/** What replaying one episode needs. */
export interface Recording extends FileHeader {
  bddl: string;
  /** [T, A] */
  actions: Float64Array;
  /** [T, S] */
  states: Float64Array;
  length: number;
}

/**
 * The episodes of the given files and folders (a folder stands for the .hdf5 files in it and its subfolders), in the
 * order of sorted file names and demo numbers. A file is open only while it is read.
 * @param notice told, in one sentence, what is left out
 * @throws NinaError for a file that is missing, empty, truncated, damaged or still open for writing; a dataset that is
 * missing or of another shape or number of rows; a link without a target; files of different robots. Of `frames`: for
 * datasets that are not whole or of another type, numbers that are not finite, actions beyond the robot's range.
 * @example
 * ```ts
 * import { observationAt, openDemonstrations } from 'nina-vla/data';
 *
 * const { headers, frames } = await openDemonstrations('demos/object');
 * const [{ instruction, length }] = headers;
 * const { state, actions } = await frames(0, 0, 10); // [10, P] and [10, A] of the first episode
 * console.log(instruction, length, state.length, actions.length);
 * ```
 */
export async function openDemonstrations(
  sources: string | readonly string[],
  notice: (text: string) => void = () => {},
): Promise<EpisodeSource> {
  const unnamed: string[] = [];
  const headers: EpisodeHeader[] = [];
  const names: string[] = [];
  for (const file of demonstrationFiles(sources))
    for (const { name, ...header } of await readHdf5(file, (root) => readHeaders(root, file, unnamed))) {
      requireOneRobot(headers[0], header);
      names.push(name);
      headers.push(header);
    }
  if (unnamed.length > 0)
    notice(
      `${unnamed.length} of the groups with actions are left out, because they are not named demo_N (first: ${unnamed[0]}).`,
    );
  return {
    headers,
    frames(episode, from, to, views = []) {
      const header = headers[episode];
      requireSteps(header, from, to);
      return readHdf5(header.file, (root) =>
        readFrames(find(dataGroup(root), names[episode])!, header, [from, to], views),
      );
    },
  };
}

/**
 * All numbers of the episodes of the given files and folders.
 * @param notice told, in one sentence each, what was put right while reading
 * @throws NinaError as `openDemonstrations` and its `frames`, and for a demonstration that is there twice.
 * @example
 * ```ts
 * import { readDemonstrations } from 'nina-vla/data';
 *
 * const episodes = await readDemonstrations('demos/object', console.warn);
 * console.log(episodes.map(({ instruction, length }) => `${instruction}: ${length} steps`));
 * ```
 */
export async function readDemonstrations(
  sources: string | readonly string[],
  notice: (text: string) => void = () => {},
): Promise<Episode[]> {
  return loadEpisodes(await openDemonstrations(sources, notice), notice);
}

/** Recorded actions and simulator states of one episode. @throws NinaError naming the demos found. */
export function readRecording(file: string, demo: number): Promise<Recording> {
  return readHdf5(file, (root) => {
    const data = dataGroup(root);
    const header = readHeader(data);
    const group = findDemo(data, demo);
    const length = requireRows(group, header);
    const actions = readActions(group, header.robot.action);
    const states = readFinite(group, 'states', [length, null], undefined, 'float64');
    return { ...header, bddl: requireText(data, 'bddl_file_content'), actions, states, length };
  });
}

/** The JSON that the recorder left in `/data`'s nina_recording, or undefined in files made elsewhere. */
export function readRecordingHeader(file: string): Promise<unknown> {
  return readHdf5(file, (root) => {
    const recording = text(dataGroup(root), 'nina_recording');
    return recording === undefined ? undefined : JSON.parse(recording);
  });
}

function readHeaders(root: Place, file: string, unnamed: string[]): (EpisodeHeader & { name: string })[] {
  const data = dataGroup(root);
  const header = readHeader(data);
  const demos = listDemos(data);
  unnamed.push(...otherDemos(data, demos));
  const splits = readMasks(root, data, demos);
  return demos.map(({ demo, name, group }) => ({
    file,
    demo,
    name,
    ...header,
    ...(splits && { split: splits.get(demo)! }),
    length: requireRows(group, header),
    ...readEntityNames(group),
    views: readViews(group),
  }));
}

/** A policy acts for one robot. */
function requireOneRobot(first: EpisodeHeader | undefined, header: EpisodeHeader): void {
  if (!first || first.robot === header.robot) return;
  requireSameRobot([first.file, first.robot], [header.file, header.robot], 'Train on the demonstrations of one robot.');
}

/**
 * Steps of a demonstration, which every dataset of it must have: LIBERO's and robomimic's hold one row per action.
 * @throws NinaError naming the first dataset of another number of rows.
 */
function requireRows(group: Place, { robot }: FileHeader): number {
  const [steps] = requireDataset(group, 'actions', [null, robot.action.dimensions.length]).shape;
  if (steps === 0) throw new NinaError(`${group.title}/actions has no steps.`);
  const obs = find(group, 'obs');
  const inObs = obs && kindOf(obs) === 'group' ? namesIn(obs).map((name) => `obs/${name}`) : [];
  for (const name of [...['states', 'robot_states', 'rewards', 'dones'], ...inObs]) {
    const place = find(group, name);
    if (!place || kindOf(place) !== 'dataset') continue;
    const [rows] = shapeOf(group, name)!;
    if (rows !== undefined && rows !== steps)
      throw new NinaError(
        `${place.title} has ${rows} rows, but ${group.title}/actions has ${steps}; a demonstration has one row of each per step.`,
      );
  }
  return steps;
}

function readEntityNames(group: Place): Pick<EpisodeHeader, 'names' | 'categories'> {
  const place = find(group, 'obs/entities');
  if (!place) return { names: [], categories: [] };
  const [names, categories] = ['names', 'categories'].map((name) => {
    const value = texts(place, name);
    if (value) return value;
    throw new NinaError(`${place.title} has no attribute '${name}' that lists strings.`);
  });
  if (names.length !== categories.length)
    throw new NinaError(
      `${place.title} has ${names.length} names and ${categories.length} categories; wanted as many.`,
    );
  return { names, categories };
}
