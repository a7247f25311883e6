/**
 * robomimic's split: `mask/train` and `mask/valid` list the names of the demonstrations for training and for validation
 * (https://robomimic.github.io/docs/datasets/overview.html).
 */
import { NinaError } from '../errors.ts';
import { find, type Place } from './hdf5/links.ts';
import { readTexts } from './hdf5/texts.ts';
import type { ListedDemo } from './header.ts';

/** Where a file's masks put a demonstration. */
export type Split = 'train' | 'valid' | 'neither';

/**
 * Where each of `demos` belongs, undefined for a file without masks.
 * @throws NinaError for one mask without the other, a name that is no demonstration's, and one that is in both.
 */
export function readMasks(root: Place, data: Place, demos: readonly ListedDemo[]): Map<number, Split> | undefined {
  const group = find(root, 'mask') ?? find(data, 'mask');
  if (!group) return undefined;
  const [train, valid] = [find(group, 'train'), find(group, 'valid')];
  // Other masks, such as robomimic's 20_percent, are no split.
  if (!train && !valid) return undefined;
  if (!train || !valid) {
    const [there, missing] = train ? ['train', 'valid'] : ['valid', 'train'];
    throw new NinaError(`${group.title} has the list '${there}' but not '${missing}'; a split needs both, or neither.`);
  }
  const splits = new Map<number, Split>(demos.map(({ demo }) => [demo, 'neither']));
  // Text of a fixed length may be padded with spaces.
  for (const [split, place] of [
    ['train', train],
    ['valid', valid],
  ] as const)
    for (const name of readTexts(place).map((text) => text.trim())) {
      const demo = demos.find((one) => one.name === name)?.demo;
      if (demo === undefined)
        throw new NinaError(`${place.title} lists '${name}', but ${data.title} has no demonstration of that name.`);
      const before = splits.get(demo);
      if (before !== 'neither' && before !== split)
        throw new NinaError(`${group.title} lists ${name} both in 'train' and in 'valid'; it can be in one.`);
      splits.set(demo, split);
    }
  return splits;
}
