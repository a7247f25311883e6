/**
 * What is asked of a scene: names of things that are there and of some that are not, phrases, and how the pictures are
 * shifted. All of it follows from the scene and a key.
 */
import { drawShift, type Shift } from '../encoders/florence2/pictures.ts';
import { fold, type Key, permutation, rng } from '../random.ts';
import { project } from '../sim/grounding/eye.ts';
import { type GroundedObject, type GroundingScene, HELD_OUT, type Phrase } from '../sim/grounding/index.ts';
import { NAMES } from '../sim/grounding/names.ts';
import type { Vec3 } from '../sim/index.ts';
import type { GroundingShape } from './arrays.ts';
import { cellOf, NOT_VISIBLE } from './cells.ts';

export interface Example {
  readonly scene: GroundingScene;
  /** K. */
  readonly names: readonly string[];
  /** Q. */
  readonly phrases: readonly Phrase[];
  /** Of each view's picture, in pixels of the encoder's; none unless it is shifted. */
  readonly shifts: readonly (Shift | undefined)[];
  /** Whether a token inside a phrase is left out. */
  isDropped(phrase: number, token: number): boolean;
}

/** Name and category of the robot's own hand, which is asked for in every scene: whoever acts must know where it is. */
export const HAND = 'gripper';

/** The things that a name stands for. */
export const meantBy = <T extends Pick<GroundedObject, 'category'>>(name: string, objects: readonly T[]): T[] =>
  objects.filter(({ category }) => (category === HAND ? name === HAND : NAMES[category].includes(name)));

/** The scene with the hand as the last of its objects: the place between the fingers, taken as seen where it is in the picture. */
export function withHand(scene: GroundingScene): GroundingScene {
  const position: Vec3 = [scene.state[0], scene.state[1], scene.state[2]];
  const sights = Object.entries(scene.cameras).map(([view, camera]) => {
    const at = project(position, camera);
    return [view, { ...at, visible: cellOf(at, 1) !== NOT_VISIBLE }];
  });
  return { ...scene, objects: [...scene.objects, { category: HAND, position, views: Object.fromEntries(sights) }] };
}

/** Of the names that are asked for, at least this share is of what is not there. */
const ABSENT_SHARE = 0.25;
/** How often a thing is called by its first name, the one of the suites' instructions. */
const FIRST_NAME_SHARE = 0.6;

/**
 * An example to learn from.
 * @param fits whether a text is short enough for the encoder; the name of a thing always is
 */
export function drawExample(
  shape: GroundingShape,
  scene: GroundingScene,
  fits: (text: string) => boolean,
  key: Key,
  { shifted, wordsDropped }: { readonly shifted: number; readonly wordsDropped: number },
): Example {
  const { encoder, phrases: Q } = shape;
  const random = rng(fold(key, 'names'));
  const call = (names: readonly string[]) => (random.uniform() < FIRST_NAME_SHARE ? names[0] : random.pick(names));
  const shifts = rng(fold(key, 'shifted')).uniform() < shifted;
  const phrases = shuffled(
    fold(key, 'phrases'),
    scene.phrases.filter(({ text }) => fits(text)),
  );
  // Most of what is said of a scene names a single thing; half of what is read says more where anything does.
  const more = phrases.filter(({ objects }) => objects.length > 1);
  const read = [...more.slice(0, Math.ceil(Q / 2)), ...phrases];
  return {
    scene: withHand(scene),
    names: drawNames(shape, scene, fold(key, 'things'), call),
    phrases: Array.from({ length: Q }, (_, i) => read[i % read.length]),
    shifts: encoder.views.map((view, v) =>
      shifts ? drawShift(fold(key, 'shift', view), encoder.shifts[v]) : undefined,
    ),
    isDropped: (phrase, token) => wordsDropped > 0 && rng(fold(key, 'dropped', phrase, token)).uniform() < wordsDropped,
  };
}

/** An instruction of the suites' style that says what to take and where to put it. */
const INSTRUCTION = /^(pick up|put) /;

/**
 * An example to be judged by: things by their first names, instructions alone where there are any, nothing changed.
 * @param heldOut whether instructions are said in words that no training hears
 */
export function plainExample(
  shape: GroundingShape,
  scene: GroundingScene,
  fits: (text: string) => boolean,
  key: Key,
  heldOut: boolean,
): Example {
  const say = rng(fold(key, 'words'));
  const instructions = scene.phrases
    .filter(({ text, objects }) => objects.length >= 2 && INSTRUCTION.test(text))
    .map(({ text, objects }) => ({ text: heldOut ? say.pick(HELD_OUT)(text) : text, objects }));
  const short = (all: readonly Phrase[]) => all.filter(({ text }) => fits(text));
  // Names are asked for only in a scene of which nothing else is said.
  const told = instructions.some(({ text }) => fits(text)) ? short(instructions) : short(scene.phrases);
  const phrases = shuffled(fold(key, 'phrases'), told);
  return {
    scene: withHand(scene),
    names: drawNames(shape, scene, fold(key, 'things'), ([first]) => first),
    phrases: Array.from({ length: shape.phrases }, (_, i) => phrases[i % phrases.length]),
    shifts: [],
    isDropped: () => false,
  };
}

/** K names, each once: the hand's, of what is there, and of what is not. */
function drawNames(
  { names: K }: GroundingShape,
  { objects }: GroundingScene,
  key: Key,
  call: (names: readonly string[]) => string,
): string[] {
  const present = shuffled(fold(key, 'present'), [...new Set(objects.map(({ category }) => category))]);
  const absent = shuffled(fold(key, 'absent'), Object.keys(NAMES));
  const seen = present.slice(0, Math.round(K * (1 - ABSENT_SHARE)) - 1).map((category) => call(NAMES[category]));
  const missing = absent.map((category) => call(NAMES[category])).filter((name) => meantBy(name, objects).length === 0);
  return [...new Set([HAND, ...seen, ...missing])].slice(0, K);
}

const shuffled = <T>(key: Key, items: readonly T[]): T[] => Array.from(permutation(key, items.length), (i) => items[i]);
