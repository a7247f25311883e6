/** The pictures that an encoder reads of a demonstration's steps, whatever else is known of them. */
import type { Picture } from '../robot/index.ts';
import { type EpisodeSource, episodeId } from './episode.ts';

/** Pictures by view. @param episode as `episodeId` names it */
export type ReadPictures = (episode: string, step: number) => Promise<Readonly<Record<string, Picture>>>;

export function pictureReader(source: EpisodeSource, views: readonly string[]): ReadPictures {
  const places = new Map(source.headers.map((header, i) => [episodeId(header), i]));
  return async (episode, step) => {
    const place = places.get(episode);
    if (place === undefined) throw new Error(`No episode is called ${episode}.`);
    const images: Record<string, Picture> = {};
    for (const view of views) images[view] = await source.picture(place, step, view);
    return images;
  };
}
