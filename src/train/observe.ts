/** What a policy saw at a step of a demonstration, with the pictures that its encoder reads. */
import { type Episode, observationAt, openPictures, type PicturedEpisode } from '../data/index.ts';
import { type EncoderConfig, encoderOf } from '../encoders/index.ts';
import type { Observation, Picture } from '../robot/index.ts';

export interface Eyes extends Disposable {
  /** The pictures of a step, by view; undefined for an encoder that reads none. */
  look(episode: PicturedEpisode, step: number): Record<string, Picture> | undefined;
}

export async function openEyes(encoder: EncoderConfig): Promise<Eyes> {
  const views = encoderOf(encoder).views(encoder);
  if (views.length === 0) return { look: () => undefined, [Symbol.dispose]() {} };
  const pictures = await openPictures();
  return {
    look: (episode, step) => Object.fromEntries(views.map((view) => [view, pictures.read(episode, view, step)])),
    [Symbol.dispose]: () => pictures[Symbol.dispose](),
  };
}

/** @throws NinaError for pictures that are damaged or not there. */
export function observe(eyes: Eyes, episode: Episode, step: number): Observation {
  const images = eyes.look(episode, step);
  return { ...observationAt(episode, episode, step), ...(images && { images }) };
}
