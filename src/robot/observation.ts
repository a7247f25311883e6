/** What a policy is asked. Every member beside the instruction is optional: an encoder says which of them it needs. */
import * as z from 'zod';

/** Numbers of one entity's pose: position 3 (m, world), unit quaternion w x y z 4, joint 1 (m of a drawer, rad of a knob). */
export const ENTITY_SIZE = 8;

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3] RGB, row 0 at the top. */
  readonly data: Uint8Array;
}

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

/** An observation as JSON; pictures have no form there. */
export const observationSchema = z.strictObject({
  state: z.array(z.number()).optional(),
  entities: z.strictObject({ categories: z.array(z.string()), poses: z.array(z.number()) }).optional(),
  instruction: z.string(),
});

/** As `observationSchema` reads it. Pictures are left out. */
export const observationToJson = ({
  state,
  entities,
  instruction,
}: Observation): z.output<typeof observationSchema> => ({
  ...(state && { state: Array.from(state) }),
  ...(entities && { entities: { categories: [...entities.categories], poses: Array.from(entities.poses) } }),
  instruction,
});
