/** Worker thread: renders scenes and writes what is asked of them, while others compute. */

import { openTokenizer } from '../encoders/florence2/words.ts';
import type { Arrays } from '../encoders/index.ts';
import { serveJobs } from '../jobs/index.ts';
import { fold, key } from '../random.ts';
import { openSceneSampler } from '../sim/grounding/index.ts';
import { arraysOf, type GroundingShape } from './arrays.ts';
import { drawExample, type Example, plainExample } from './examples.ts';
import { fitsInto, writeExample } from './write.ts';

/** What the thread gets once. */
export interface BatchSource {
  readonly shape: GroundingShape;
  /** The tokenizer's file. */
  readonly tokenizer: string;
  readonly seed: number;
  /** Of scenes that are trained on. */
  readonly augmentation: { readonly shifted: number; readonly wordsDropped: number };
}

/** Scenes to train on; or held-out ones, the same for every seed, with phrasings that are trained on or with others. */
export type SceneSet = 'train' | 'seen' | 'held-out';

export interface BatchRequest {
  readonly set: SceneSet;
  /** Number of the first scene of the set. */
  readonly first: number;
  /** Scenes of each part. */
  readonly rows: readonly number[];
}

/** What is known of an example, for those who compare. */
export type Truth = Pick<Example, 'names' | 'phrases'> & {
  readonly scene: Omit<Example['scene'], 'phrases'>;
};

export interface Batch {
  readonly parts: readonly Arrays[];
  /** Of held-out scenes, in the order of the rows. */
  readonly truths: readonly Truth[];
}

serveJobs<BatchSource, BatchRequest, Batch>(async ({ shape, tokenizer, seed, augmentation }) => {
  const sampler = await openSceneSampler();
  const words = openTokenizer(tokenizer);
  const fits = fitsInto(shape.encoder, words);
  return async ({ set, first, rows }) => {
    const truths: Truth[] = [];
    let scene = first;
    const parts = rows.map((count) => {
      const arrays = arraysOf(shape, count);
      for (let row = 0; row < count; row++, scene++) {
        const training = set === 'train';
        const at = training ? fold(key(seed), 'grounding', scene) : fold(key(0), 'grounding, held out', scene);
        const drawn = sampler.sample(fold(at, 'scene'));
        const asked = fold(at, 'asked');
        const example = training
          ? drawExample(shape, drawn, fits, asked, augmentation)
          : plainExample(shape, drawn, fits, asked, set === 'held-out');
        writeExample(shape, words, example, arrays, row);
        if (!training) truths.push(truthOf(example));
      }
      return arrays;
    });
    return { parts, truths };
  };
});

/** A copy as a message can carry it: pictures are drawn when they are read. */
function truthOf({ names, phrases, scene: { phrases: _, images, ...scene } }: Example): Truth {
  const drawn = Object.entries(images).map(([view, { width, height, data }]) => [view, { width, height, data }]);
  return { names, phrases, scene: { ...scene, images: Object.fromEntries(drawn) } };
}
