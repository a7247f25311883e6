/** What a demonstration file says of its task and robot, and which demonstrations it lists. */
import { NinaError } from '../errors.ts';
import { checkJson } from '../json.ts';
import { PANDA, type Robot, robotSchema, sameRobot } from '../robot/index.ts';
import { find, kindOf, namesIn, type Place } from './hdf5/links.ts';
import { requireText, text } from './hdf5/texts.ts';

/** `env_name` of files that our recorder writes. */
export const OWN_ENVIRONMENT = 'NinaTabletop';

export interface FileHeader {
  suite: string;
  task: string;
  instruction: string;
  robot: Robot;
}

/** Attribute of /data, ours: JSON of the robot whose actions and state the file holds. */
export const ROBOT_ATTRIBUTE = 'nina_robot';

/** @throws NinaError for a file without the group /data. */
export function dataGroup(root: Place): Place {
  const data = find(root, 'data');
  if (!data || kindOf(data) !== 'group')
    throw new NinaError(
      `${root.file.name} has no group /data, so it is no demonstration file. Found: ${namesIn(root).join(', ') || 'nothing'}.`,
    );
  return data;
}

/** @throws NinaError for attributes that are missing or not what they should be. */
export function readHeader(data: Place): FileHeader {
  const bddlFile = requireText(data, 'bddl_file_name');
  const task = taskOf(bddlFile);
  if (task.task === '')
    throw new NinaError(
      `${data.title}'s attribute 'bddl_file_name' is ${JSON.stringify(bddlFile)}, which names no task; wanted SUITE/TASK.bddl.`,
    );
  return { ...task, instruction: readInstruction(data), robot: readRobot(data) };
}

/** Files that do not say which robot they are of are of LIBERO's. */
function readRobot(data: Place): Robot {
  const json = text(data, ROBOT_ATTRIBUTE);
  if (json === undefined) return PANDA;
  const where = `${data.title}'s attribute '${ROBOT_ATTRIBUTE}'`;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new NinaError(`${where} is not JSON.`, { cause });
  }
  const robot = checkJson(robotSchema, value, where, 'Wanted the name, action and state of a robot.');
  return sameRobot(robot, PANDA) ? PANDA : robot;
}

/** Suite and task of 'FOLDERS/<suite>/<task>.bddl', whichever system's separators it was written with. */
export function taskOf(bddlFile: string): Pick<FileHeader, 'suite' | 'task'> {
  const parts = bddlFile
    .trim()
    .replace(/^[a-z]:/i, '')
    .split(/[\\/]+/)
    .filter((part) => part !== '' && part !== '.');
  return { suite: parts.at(-2) ?? '.', task: (parts.at(-1) ?? '').replace(/\.bddl$/i, '') };
}

/**
 * LIBERO's files hold the instruction as a string or as a list of pieces, with quotes that are not part of it; ours hold
 * it as it is.
 */
function readInstruction(data: Place): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(requireText(data, 'problem_info'));
  } catch (cause) {
    if (cause instanceof NinaError) throw cause;
    throw new NinaError(`${data.title}'s attribute 'problem_info' is not JSON.`, { cause });
  }
  const value = parsed && typeof parsed === 'object' && 'language_instruction' in parsed && parsed.language_instruction;
  const instruction = Array.isArray(value) ? joined(value) : value;
  if (typeof instruction !== 'string')
    throw new NinaError(`${data.title}'s attribute 'problem_info' names no 'language_instruction'.`);
  return text(data, 'env_name') === OWN_ENVIRONMENT ? instruction : instruction.replace(/^"(.*)"$/s, '$1');
}

/**
 * The text of a list: of single characters, of words, or of longer pieces, which may bring the spaces between them.
 * @returns undefined where a piece is no text
 */
function joined(pieces: readonly unknown[]): string | undefined {
  if (!pieces.every((piece) => typeof piece === 'string')) return undefined;
  const characters = pieces.every((piece) => [...piece].length <= 1);
  return pieces.reduce((text, piece) => {
    const parted = characters || text === '' || piece === '' || /\s$/.test(text) || /^\s/.test(piece);
    return `${text}${parted ? '' : ' '}${piece}`;
  }, '');
}

/** A demonstration's group, by the number in its name: demo_7, demo_007. */
export interface ListedDemo {
  demo: number;
  name: string;
  group: Place;
}

const DEMO = /^demo_(\d+)$/;

/**
 * The demonstrations of a file in the order of their numbers.
 * @throws NinaError where there are none, for a number that two names have, and for one that is no group.
 */
export function listDemos(data: Place): ListedDemo[] {
  const names = new Map<number, string>();
  for (const name of namesIn(data)) {
    const digits = DEMO.exec(name)?.[1];
    if (digits === undefined) continue;
    const other = names.get(Number(digits));
    if (other !== undefined)
      throw new NinaError(`${data.title} holds both ${other} and ${name}, which are one number. Rename or remove one.`);
    names.set(Number(digits), name);
  }
  if (names.size === 0) {
    const others = namesIn(data);
    const found = others.length === 0 ? 'nothing' : others.slice(0, 5).join(', ') + (others.length > 5 ? ', ...' : '');
    throw new NinaError(`${data.file.name} holds no demonstrations: /data has no group demo_0. Found: ${found}.`);
  }
  return [...names]
    .sort(([a], [b]) => a - b)
    .map(([demo, name]) => {
      const group = find(data, name)!;
      const kind = kindOf(group);
      if (kind !== 'group')
        throw new NinaError(
          `${group.title} is ${kind === 'dataset' ? 'a dataset' : 'no group'}; a demonstration is a group.`,
        );
      return { demo, name, group };
    });
}

/** @throws NinaError for a demonstration that is not there, saying which are. */
export function findDemo(data: Place, demo: number): Place {
  const name = namesIn(data).find((one) => Number(DEMO.exec(one)?.[1]) === demo);
  if (name !== undefined) return find(data, name)!;
  const demos = listDemos(data);
  throw new NinaError(
    `${data.file.name} has no demo_${demo}; it has demo_${demos[0].demo} to demo_${demos.at(-1)!.demo} (${demos.length}).`,
  );
}

/** Titles of groups that hold actions as a demonstration does, under names that are no demonstration's. */
export function otherDemos(data: Place, demos: readonly ListedDemo[]): string[] {
  const listed = new Set(demos.map(({ name }) => name));
  const isListed = (place: Place) => demos.some(({ group }) => group.file === place.file && group.path === place.path);
  return namesIn(data)
    .filter((name) => !listed.has(name))
    .map((name) => find(data, name)!)
    .filter((place) => kindOf(place) === 'group' && namesIn(place).includes('actions') && !isListed(place))
    .map(({ title }) => title);
}
