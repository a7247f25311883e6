/**
 * No demonstration may be there twice: its copy in the validation part would be one that was trained on. Copies are
 * told by what a policy learns from them, whatever the files are called.
 */
import { createHash } from 'node:crypto';
import { NinaError } from '../errors.ts';
import type { Episode } from './episode.ts';

/** @throws NinaError naming both places of the first demonstration that is listed twice. */
export function requireDistinct(episodes: readonly Episode[]): void {
  const met = new Map<string, Episode>();
  for (const episode of episodes) {
    const { instruction, names, categories, actions, state, poses } = episode;
    const hash = createHash('sha256').update(JSON.stringify([instruction, names, categories, actions.length]));
    for (const table of [actions, state, poses])
      hash.update(new Uint8Array(table.buffer, table.byteOffset, table.byteLength));
    const id = hash.digest('hex');
    const other = met.get(id);
    if (other)
      throw new NinaError(
        `${other.file}: demo_${other.demo} and ${episode.file}: demo_${episode.demo} are the same demonstration, which ` +
          'would count twice and could be trained on and held out at once. Remove one.',
      );
    met.set(id, episode);
  }
}
