/** What a policy is asked. Every member beside the instruction is optional: an encoder says which of them it needs. */
import * as z from 'zod';
import { type Picture, pictureFromJson, pictureSchema, pictureToJson } from './picture.ts';

/** Numbers of one entity's pose: position 3 (m, world), unit quaternion w x y z 4, joint 1 (m of a drawer, rad of a knob). */
export const ENTITY_SIZE = 8;

/** The things in view, as a simulator knows them. */
export interface Entities {
  /** N categories: words joined by underscores, `alphabet_soup`. */
  readonly categories: readonly string[];
  /** [N, 8], see `ENTITY_SIZE`. */
  readonly poses: ArrayLike<number>;
}

export interface Observation {
  /** By the name of the view. */
  readonly images?: Readonly<Record<string, Picture>>;
  /** [P] proprioception, as the robot's `state` names it. */
  readonly state?: ArrayLike<number>;
  readonly entities?: Entities;
  /** What to do, in words. */
  readonly instruction: string;
}

/** An observation as JSON. */
export const observationSchema = z.strictObject({
  images: z.record(z.string(), pictureSchema).optional(),
  state: z.array(z.number()).optional(),
  entities: z.strictObject({ categories: z.array(z.string()), poses: z.array(z.number()) }).optional(),
  instruction: z.string(),
});
export type StoredObservation = z.output<typeof observationSchema>;

/** As `observationSchema` reads it. @throws NinaError for a picture whose bytes are not of its size. */
export const observationToJson = ({ images, state, entities, instruction }: Observation): StoredObservation => ({
  ...(images && { images: eachView(images, (picture, view) => pictureToJson(view, picture)) }),
  ...(state && { state: Array.from(state) }),
  ...(entities && { entities: { categories: [...entities.categories], poses: Array.from(entities.poses) } }),
  instruction,
});

/** @param stored what `observationSchema` let pass */
export const observationFromJson = ({ images, ...rest }: StoredObservation): Observation => ({
  ...(images && { images: eachView(images, pictureFromJson) }),
  ...rest,
});

const eachView = <A, B>(images: Readonly<Record<string, A>>, to: (image: A, view: string) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(images).map(([view, image]) => [view, to(image, view)]));
