/** Which episodes are trained on and which are held out: by the files' own lists, or drawn. */
import { NinaError } from '../errors.ts';
import { fold, type Key, permutation } from '../random.ts';
import type { Episode } from './episode.ts';

/**
 * Splits by episode, so that no validation window overlaps a training window.
 * @param fraction share of episodes held out, in (0, 1); at least one episode lands on either side
 * @throws NinaError when there are fewer than two episodes.
 */
export function splitEpisodes<E>(episodes: readonly E[], fraction: number, key: Key): { train: E[]; validation: E[] } {
  if (episodes.length < 2)
    throw new NinaError(
      `Splitting into training and validation needs at least 2 episodes; got ${episodes.length}. Record more demonstrations.`,
    );
  const count = Math.min(Math.max(1, Math.round(fraction * episodes.length)), episodes.length - 1);
  const held = new Set(permutation(fold(key, 'split'), episodes.length).subarray(0, count));
  return {
    train: episodes.filter((_, i) => !held.has(i)),
    validation: episodes.filter((_, i) => held.has(i)),
  };
}

/**
 * The split that the files' own masks say, undefined where no file has them.
 * @param notice told that it is theirs, and how many episodes are in neither list and left out
 * @throws NinaError where some files have masks and others do not, and where a part is empty.
 */
export function splitByMasks<E extends Pick<Episode, 'file' | 'split'>>(
  episodes: readonly E[],
  notice: (text: string) => void,
): { train: E[]; validation: E[] } | undefined {
  const masked = episodes.find(({ split }) => split !== undefined);
  if (!masked) return undefined;
  const without = episodes.find(({ split }) => split === undefined);
  if (without)
    throw new NinaError(
      `${masked.file} says which demonstrations are for training (mask/train, mask/valid) and ${without.file} does not. ` +
        'Give all files masks, or none.',
    );
  const of = (split: Episode['split']) => episodes.filter((episode) => episode.split === split);
  const [train, validation, neither] = [of('train'), of('valid'), of('neither')];
  for (const [list, part] of [
    ['train', train],
    ['valid', validation],
  ] as const)
    if (part.length === 0)
      throw new NinaError(
        `No demonstration is in mask/${list} of ${masked.file} or any other file; at least one must be.`,
      );
  const out = neither.length === 0 ? '' : `, ${neither.length} in neither are left out`;
  notice(
    `The split is that of the files' own masks: ${train.length} for training, ${validation.length} for validation${out}.`,
  );
  return { train, validation };
}
