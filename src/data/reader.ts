/**
 * Reads demonstration files (the layout is at the head of writer.ts) into flat arrays, checking everything that training
 * or replay would otherwise discover much later. LIBERO's own files read too; they hold no `obs/entities`, so their
 * episodes have no entities and `requireEntities` says so where they are needed.
 */
import { NinaError } from '../errors.ts';
import { type Notice, readActions } from './actions.ts';
import { requireDistinct } from './duplicates.ts';
import { find, kindOf, namesIn, type Place } from './hdf5/links.ts';
import { shapeOf } from './hdf5/metadata.ts';
import { readNumbers } from './hdf5/numbers.ts';
import { readHdf5 } from './hdf5/open.ts';
import { requireText, text, texts } from './hdf5/texts.ts';
import { dataGroup, type FileHeader, listDemos, otherDemos, readHeader } from './header.ts';
import { readMasks, type Split } from './masks.ts';
import { PROPRIO_SIZE, quaternionFromAxisAngle, writeProprio } from './proprio.ts';
import { demonstrationFiles } from './walk.ts';

export const ENTITY_SIZE = 8;

/** One demonstration of T steps, row-major float32; row t is what the policy sees before action t. */
export interface Episode {
  file: string;
  /** N of demo_N. */
  demo: number;
  suite: string;
  task: string;
  instruction: string;
  /** Where the file's own split puts it; absent where the file has none. */
  split?: Split;
  /** T */
  length: number;
  /** [T, 7] in [-1, 1] */
  actions: Float32Array;
  /** [T, 11], see proprio.ts */
  proprio: Float32Array;
  /** [T, N, 8]: position 3, quaternion w x y z 4, joint 1. Empty (and N = 0) when the file holds none. */
  entities: Float32Array;
  /** N names */
  names: readonly string[];
  /** N categories */
  categories: readonly string[];
}

/** What replaying one episode needs. */
export interface Recording extends FileHeader {
  bddl: string;
  /** [T, 7] */
  actions: Float64Array;
  /** [T, S] */
  states: Float64Array;
  length: number;
}

/**
 * Every episode of the given files and folders (a folder stands for the .hdf5 files in it and its subfolders), in the
 * order of sorted file names and demo numbers.
 * @param notice told, in one sentence each, what was put right while reading
 * @throws NinaError for a file that is missing, empty, truncated, damaged or still open for writing; a dataset that is
 * missing, not whole or of another shape, type or number of rows; numbers that are not finite; actions that leave
 * [-1, 1]; a link without a target; a demonstration that is there twice.
 */
export async function readDemonstrations(
  sources: string | readonly string[],
  notice: (text: string) => void = () => {},
): Promise<Episode[]> {
  const clamped: Notice[] = [];
  const unnamed: string[] = [];
  const episodes: Episode[] = [];
  for (const file of demonstrationFiles(sources))
    episodes.push(...(await readHdf5(file, (root) => readFile(root, file, clamped, unnamed))));
  requireDistinct(episodes);
  if (unnamed.length > 0)
    notice(
      `${unnamed.length} of the groups with actions are left out, because they are not named demo_N (first: ${unnamed[0]}).`,
    );
  const [first] = clamped;
  if (first)
    notice(
      `${clamped.length === 1 ? 'An action is' : `${clamped.length} actions are`} beyond 1 by no more than the rounding of float32 and ` +
        `taken as 1 in size (first: ${first.title} is ${first.value} at step ${first.step}).`,
    );
  return episodes;
}

/** Recorded actions and simulator states of one episode. @throws NinaError naming the demos found. */
export function readRecording(file: string, demo: number): Promise<Recording> {
  return readHdf5(file, (root) => {
    const data = dataGroup(root);
    const header = readHeader(data);
    const demos = listDemos(data);
    const group = demos.find((one) => one.demo === demo)?.group;
    if (!group)
      throw new NinaError(
        `${file} has no demo_${demo}; it has demo_${demos[0].demo} to demo_${demos.at(-1)!.demo} (${demos.length}).`,
      );
    const actions = readActions(group);
    const length = requireRows(group);
    const states = readFinite(group, 'states', [length, null], 'float64');
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

/** @throws NinaError naming the first episode that holds no entity poses. */
export function requireEntities(episodes: readonly Episode[]): void {
  const without = episodes.find((episode) => episode.names.length === 0);
  if (without)
    throw new NinaError(
      `${without.file}: demo_${without.demo} has no dataset 'obs/entities', which a state encoder needs ` +
        `(LIBERO's own files hold images only). Record with 'nina demos'.`,
    );
}

function readFile(root: Place, file: string, clamped: Notice[], unnamed: string[]): Episode[] {
  const data = dataGroup(root);
  const header = readHeader(data);
  const demos = listDemos(data);
  unnamed.push(...otherDemos(data, demos));
  const splits = readMasks(root, data, demos);
  return demos.map(({ demo, group }) => {
    const actions = readActions(group, clamped);
    const length = requireRows(group);
    return {
      file,
      demo,
      ...header,
      ...(splits && { split: splits.get(demo)! }),
      length,
      actions: Float32Array.from(actions),
      proprio: readProprio(group, length),
      ...readEntities(group, length),
    };
  });
}

/**
 * Steps of a demonstration, which every dataset of it must have: LIBERO's and robomimic's hold one row per action.
 * @throws NinaError naming the first dataset of another number of rows.
 */
function requireRows(group: Place): number {
  const [steps] = shapeOf(group, 'actions')!;
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

function readProprio(group: Place, length: number): Float32Array {
  const position = readFinite(group, 'obs/ee_pos', [length, 3]);
  const orientation = readFinite(group, 'obs/ee_ori', [length, 3]);
  const gripper = readFinite(group, 'obs/gripper_states', [length, 2]);
  const out = new Float32Array(length * PROPRIO_SIZE);
  for (let t = 0; t < length; t++)
    writeProprio(
      position.subarray(t * 3),
      quaternionFromAxisAngle(orientation.subarray(t * 3)),
      gripper.subarray(t * 2),
      out,
      t * PROPRIO_SIZE,
    );
  return out;
}

function readEntities(group: Place, length: number): Pick<Episode, 'entities' | 'names' | 'categories'> {
  const place = find(group, 'obs/entities');
  if (!place) return { entities: new Float32Array(0), names: [], categories: [] };
  const [names, categories] = ['names', 'categories'].map((name) => {
    const value = texts(place, name);
    if (value) return value;
    throw new NinaError(`${place.title} has no attribute '${name}' that lists strings.`);
  });
  if (names.length !== categories.length)
    throw new NinaError(
      `${place.title} has ${names.length} names and ${categories.length} categories; wanted as many.`,
    );
  const data = readFinite(group, 'obs/entities', [length, names.length, ENTITY_SIZE]);
  return { entities: Float32Array.from(data), names: names, categories: categories };
}

/** Numbers that are finite, also once they are rounded to what they are kept in. */
function readFinite(
  group: Place,
  name: string,
  shape: readonly (number | null)[],
  kept: 'float32' | 'float64' = 'float32',
): Float64Array {
  const { data, shape: found } = readNumbers(group, name, shape);
  const bad = data.findIndex((value) => !Number.isFinite(kept === 'float32' ? Math.fround(value) : value));
  if (bad < 0) return data;
  const perStep = found.slice(1).reduce((product, size) => product * size, 1);
  throw new NinaError(
    `${group.title}/${name} is ${data[bad]} at step ${Math.floor(bad / perStep)}, entry ${bad % perStep}; ` +
      `every entry must be a finite number${Number.isFinite(data[bad]) ? ` of ${kept}` : ''}.`,
  );
}
