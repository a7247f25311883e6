/**
 * What is asked of a scene: names of things that are there and of some that are not, phrases, and how the pictures are
 * shifted. All of it follows from the scene and a key.
 */
import { drawShift, type Shift } from '../encoders/florence2/index.ts';
import { fold, type Key, permutation, rng } from '../random.ts';
import { CATEGORIES, type GroundingScene } from '../sim/grounding/index.ts';
import type { GroundingShape } from './arrays.ts';

export interface Phrase {
  readonly text: string;
  /** What it speaks of, among the scene's objects: the thing to take, then where to put it. */
  readonly objects: readonly number[];
}

export interface Example {
  readonly scene: GroundingScene;
  /** K categories. */
  readonly names: readonly string[];
  /** Q. */
  readonly phrases: readonly Phrase[];
  /** Of each view's picture, in pixels of the encoder's; none unless it is shifted. */
  readonly shifts: readonly (Shift | undefined)[];
  /** Of each phrase, the places of its tokens (the first and the last apart) that are left out. */
  isDropped(phrase: number, token: number): boolean;
}

/** How much is changed at random. */
export interface Augmentation {
  /** Share of scenes whose pictures are shifted. */
  readonly shifted: number;
  /** Share of a phrase's tokens that are left out. */
  readonly wordsDropped: number;
}

export const UNCHANGED: Augmentation = { shifted: 0, wordsDropped: 0 };

/** Of the names that are asked for, this share at least is not there where there are so many. */
const ABSENT_SHARE = 0.25;

export function drawExample(
  { encoder, names: K, phrases: Q }: GroundingShape,
  scene: GroundingScene,
  key: Key,
  { shifted, wordsDropped }: Augmentation,
): Example {
  const shuffled = <T>(what: string, items: readonly T[]) =>
    Array.from(permutation(fold(key, what), items.length), (i) => items[i]);
  const present = shuffled('present', [...new Set(scene.objects.map(({ category }) => category))]);
  const absent = shuffled(
    'absent',
    CATEGORIES.filter((category) => !present.includes(category)),
  );
  const seen = present.slice(0, Math.ceil(K * (1 - ABSENT_SHARE)));
  const draw = rng(fold(key, 'shifted')).uniform() < shifted;
  const phrases = shuffled('phrases', scene.phrases);
  return {
    scene,
    names: [...seen, ...absent].slice(0, K),
    phrases: Array.from({ length: Q }, (_, i) => phrases[i % phrases.length]),
    shifts: encoder.views.map((view, v) => (draw ? drawShift(fold(key, 'shift', view), encoder.shifts[v]) : undefined)),
    isDropped: (phrase, token) =>
      wordsDropped > 0 && rng(fold(key, 'dropped', phrase, token)).uniform() < wordsDropped,
  };
}
