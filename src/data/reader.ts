/**
 * Reads demonstration files (the layout is at the head of writer.ts) into flat arrays, checking everything that training
 * or replay would otherwise discover much later. LIBERO's own files read too; they hold no `obs/entities`, so their
 * episodes have no entities and `requireEntities` says so where they are needed.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { NinaError } from '../errors.ts';
import { attribute, findDataset, type Group, readHdf5, readNumbers, textAttribute } from './hdf5.ts';
import { PROPRIO_SIZE, quaternionFromAxisAngle, writeProprio } from './proprio.ts';

export const ACTION_NAMES: readonly string[] = [
  'position x',
  'position y',
  'position z',
  'rotation x',
  'rotation y',
  'rotation z',
  'gripper',
];
export const ACTION_SIZE = 7;
export const ENTITY_SIZE = 8;

/** One demonstration of T steps, row-major float32; row t is what the policy sees before action t. */
export interface Episode {
  file: string;
  /** N of demo_N. */
  demo: number;
  suite: string;
  task: string;
  instruction: string;
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
export interface Recording {
  suite: string;
  task: string;
  instruction: string;
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
 * @throws NinaError for a file that is missing, empty, truncated or damaged, a dataset that is missing or of another
 * shape, and actions that are not finite or leave [-1, 1].
 */
export function readDemonstrations(sources: string | readonly string[]): Episode[] {
  const files = demonstrationFiles(sources);
  return files.flatMap((file) => readHdf5(file, (root) => readFile(root, file)));
}

/** The .hdf5 files that `sources` stand for, sorted within each folder. @throws NinaError when a source holds none. */
export function demonstrationFiles(sources: string | readonly string[]): string[] {
  return [sources].flat().flatMap((source) => {
    if (!fs.existsSync(source))
      throw new NinaError(`${source} does not exist. Record with 'nina demos --out ${source}'.`);
    if (!fs.statSync(source).isDirectory()) return [source];
    const files = fs
      .readdirSync(source, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.hdf5'))
      .sort()
      .map((name) => path.join(source, name));
    if (files.length === 0)
      throw new NinaError(`${source} holds no .hdf5 files. Record with 'nina demos --out ${source}'.`);
    return files;
  });
}

/** Recorded actions and simulator states of one episode. @throws NinaError naming the demos found. */
export function readRecording(file: string, demo: number): Recording {
  return readHdf5(file, (root) => {
    const { data, header, demos } = readHeader(root, file);
    if (!demos.includes(demo))
      throw new NinaError(
        `${file} has no demo_${demo}; it has demo_${demos[0]} to demo_${demos.at(-1)} (${demos.length}).`,
      );
    const group = data.get(`demo_${demo}`) as Group;
    const actions = readActions(group, file);
    const length = actions.length / ACTION_SIZE;
    const { data: states } = readNumbers(group, 'states', [length, null], file);
    return { ...header, bddl: textAttribute(data, 'bddl_file_content', file), actions, states, length };
  });
}

/** The JSON that the recorder left in `/data`'s nina_recording, or undefined in files made elsewhere. */
export function readRecordingHeader(file: string): unknown {
  return readHdf5(file, (root) => {
    const text = attribute(dataGroup(root, file), 'nina_recording');
    return typeof text === 'string' ? JSON.parse(text) : undefined;
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

function dataGroup(root: Group, file: string): Group {
  const data = root.get('data');
  if (!data || !('keys' in data))
    throw new NinaError(
      `${file} has no group /data, so it is no demonstration file. Found: ${root.keys().join(', ') || 'nothing'}.`,
    );
  return data as Group;
}

function readHeader(root: Group, file: string) {
  const data = dataGroup(root, file);
  const bddlFile = textAttribute(data, 'bddl_file_name', file);
  const header = {
    suite: path.basename(path.dirname(bddlFile)),
    task: path.basename(bddlFile, '.bddl'),
    instruction: readInstruction(textAttribute(data, 'problem_info', file), file),
  };
  const demos = data
    .keys()
    .flatMap((name) => /^demo_(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
  if (demos.length === 0) throw new NinaError(`${file} holds no demonstrations: /data has no group demo_0.`);
  return { data, header, demos };
}

/** LIBERO writes the instruction as a string, sometimes quoted, sometimes as a list of pieces. */
function readInstruction(problemInfo: string, file: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(problemInfo);
  } catch (cause) {
    throw new NinaError(`${file}: /data's attribute 'problem_info' is not JSON.`, { cause });
  }
  const value = parsed && typeof parsed === 'object' && 'language_instruction' in parsed && parsed.language_instruction;
  const text = Array.isArray(value) ? value.join('') : value;
  if (typeof text !== 'string')
    throw new NinaError(`${file}: /data's attribute 'problem_info' names no 'language_instruction'.`);
  return text.replace(/^"(.*)"$/, '$1');
}

function readFile(root: Group, file: string): Episode[] {
  const { data, header, demos } = readHeader(root, file);
  return demos.map((demo) => {
    const group = data.get(`demo_${demo}`) as Group;
    const actions = readActions(group, file);
    const length = actions.length / ACTION_SIZE;
    return {
      file,
      demo,
      ...header,
      length,
      actions: Float32Array.from(actions),
      proprio: readProprio(group, length, file),
      ...readEntities(group, length, file),
    };
  });
}

function readActions(group: Group, file: string): Float64Array {
  const { data, shape } = readNumbers(group, 'actions', [null, ACTION_SIZE], file);
  if (shape[0] === 0) throw new NinaError(`${file}: ${group.path}/actions has no steps.`);
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (value >= -1 && value <= 1) continue;
    const dimension = i % ACTION_SIZE;
    throw new NinaError(
      `${file}: ${group.path}/actions is ${value} at step ${Math.floor(i / ACTION_SIZE)}, dimension ${dimension} ` +
        `(${ACTION_NAMES[dimension]}); every action must be a number in [-1, 1].`,
    );
  }
  return data;
}

function readProprio(group: Group, length: number, file: string): Float32Array {
  const position = readFinite(group, 'obs/ee_pos', [length, 3], file);
  const orientation = readFinite(group, 'obs/ee_ori', [length, 3], file);
  const gripper = readFinite(group, 'obs/gripper_states', [length, 2], file);
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

function readEntities(group: Group, length: number, file: string): Pick<Episode, 'entities' | 'names' | 'categories'> {
  const dataset = findDataset(group, 'obs/entities');
  if (!dataset) return { entities: new Float32Array(0), names: [], categories: [] };
  const [names, categories] = ['names', 'categories'].map((name) => {
    const value = name in dataset.attrs ? dataset.get_attribute(name, false) : undefined;
    if (Array.isArray(value) && value.every((item): item is string => typeof item === 'string')) return value;
    throw new NinaError(`${file}: ${group.path}/obs/entities has no attribute '${name}' that lists strings.`);
  });
  if (names!.length !== categories!.length)
    throw new NinaError(
      `${file}: ${group.path}/obs/entities has ${names!.length} names and ${categories!.length} categories; wanted as many.`,
    );
  const data = readFinite(group, 'obs/entities', [length, names!.length, ENTITY_SIZE], file);
  return { entities: Float32Array.from(data), names: names!, categories: categories! };
}

function readFinite(group: Group, name: string, shape: readonly number[], file: string): Float64Array {
  const { data } = readNumbers(group, name, shape, file);
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return data;
  const perStep = shape.slice(1).reduce((product, size) => product * size, 1);
  throw new NinaError(
    `${file}: ${group.path}/${name} is ${data[bad]} at step ${Math.floor(bad / perStep)}, entry ${bad % perStep}; ` +
      `every entry must be a finite number.`,
  );
}
