/**
 * What acting needs of a scene and the encoder is taught to say: where the thing to take is, where it is to be put, and
 * where the hand is. Offsets from the end effector are given at three scales, as the state encoder is given them
 * (encoders/state/features.ts): grasping needs millimetres while a scene spans a metre.
 */
import { hypot, tanh } from '../math.ts';

type Vec3 = readonly [number, number, number];

/** The roles of what an instruction speaks of: what to take, and where to put it. */
export const ROLES = ['target', 'place'] as const;
export type Role = (typeof ROLES)[number];

/** What is pointed at after a phrase was read: both roles, and the hand. */
export const POINTED = [...ROLES, 'hand'] as const;

/**
 * The object of each role, of those that a phrase speaks of in the order in which they are acted on. Of three the second is
 * what the hand turns to next, and no place.
 */
export function rolesOf(objects: readonly number[]): Partial<Record<Role, number>> {
  const [target, place] = objects;
  return { target, ...(objects.length !== 3 && place !== undefined && { place }) };
}

/** Positions and offsets are in tenths of a metre, of the order of 1 on a table. */
const UNIT_M = 0.1;
/** Scales of tanh(|r| / scale) r / |r|: linear near, the direction farther away. */
const SCALES_M = [0.05, 0.015] as const;
/** Travel of both fingers together. */
const OPENING_M = 0.08;

/** Per role: position 3, offset 3, direction at each scale 3. */
const PER_ROLE = 3 + 3 + 3 * SCALES_M.length;
/** F: both roles, the end effector's position 3, the fingers' opening 1. */
export const READOUT_SIZE = ROLES.length * PER_ROLE + 4;

/**
 * Writes the F numbers of one scene and phrase, and which of them are known: a phrase may name no place.
 * @param state the Panda's: end effector first, fingers at 9 and 10
 * @param positions by role, m, world
 */
export function writeReadout(
  state: ArrayLike<number>,
  positions: Partial<Record<Role, Vec3>>,
  out: Float32Array,
  known: Float32Array,
  at: number,
): void {
  const eef = [state[0], state[1], state[2]];
  out.fill(0, at, at + READOUT_SIZE);
  known.fill(0, at, at + READOUT_SIZE);
  ROLES.forEach((role, r) => {
    const position = positions[role];
    if (!position) return;
    const from = at + r * PER_ROLE;
    known.fill(1, from, from + PER_ROLE);
    const offset = position.map((p, i) => p - eef[i]);
    const distance = Math.max(hypot(offset[0], offset[1], offset[2]), 1e-9);
    offset.forEach((o, i) => {
      out[from + i] = position[i] / UNIT_M;
      out[from + 3 + i] = o / UNIT_M;
      SCALES_M.forEach((scale, s) => {
        out[from + 6 + 3 * s + i] = tanh(distance / scale) * (o / distance);
      });
    });
  });
  const hand = at + ROLES.length * PER_ROLE;
  eef.forEach((p, i) => {
    out[hand + i] = p / UNIT_M;
  });
  out[hand + 3] = (state[9] - state[10]) / OPENING_M;
  known.fill(1, hand, hand + 4);
}

/** m, world. */
export function readPosition(readout: ArrayLike<number>, at: number, role: Role): Vec3 {
  const from = at + ROLES.indexOf(role) * PER_ROLE;
  return [readout[from] * UNIT_M, readout[from + 1] * UNIT_M, readout[from + 2] * UNIT_M];
}

/** Of the end effector, m, world. */
export function readHand(readout: ArrayLike<number>, at: number): Vec3 {
  const from = at + ROLES.length * PER_ROLE;
  return [readout[from] * UNIT_M, readout[from + 1] * UNIT_M, readout[from + 2] * UNIT_M];
}
