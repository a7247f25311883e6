/** Whole episodes of a source, as training holds them in memory. */
import { requireDistinct } from './duplicates.ts';
import type { Episode, EpisodeSource, Rounded } from './episode.ts';

/**
 * All numbers of a source, and none of its pictures.
 * @param notice told, in one sentence, what was put right while reading
 * @throws NinaError for numbers that are not fit, and for a demonstration that is there twice.
 */
export async function loadEpisodes(source: EpisodeSource, notice: (text: string) => void): Promise<Episode[]> {
  const episodes: Episode[] = [];
  const rounded: Rounded[] = [];
  for (const [i, header] of source.headers.entries()) {
    const frames = await source.frames(i, 0, header.length);
    rounded.push(...(frames.rounded ?? []));
    episodes.push({ ...header, ...frames });
  }
  requireDistinct(episodes);
  const [first] = rounded;
  if (first)
    notice(
      `${rounded.length === 1 ? 'An action is' : `${rounded.length} actions are`} beyond the range by no more than the rounding of float32 ` +
        `and taken as its bound (first: ${first.title} is ${first.value} at step ${first.step}).`,
    );
  return episodes;
}
