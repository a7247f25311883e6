/**
 * How smoothly an episode went: jumps between consecutive commands, and accelerations of the hand, at the seams between
 * chunks and inside them. A policy that changes its mind shows at the seams only.
 */
import { hypot } from '../math.ts';
import type { Robot } from '../robot/index.ts';

/** A step is a seam's when its command is the first of a chunk that is not the episode's first. */
export interface Smoothness {
  /** Change of the commanded displacement from the command before, position part, metres: at each seam. */
  seam_jump_m: number[];
  /** The mean inside chunks. */
  inside_jump_m: number;
  /** Acceleration of the hand over the step and the one before, m/s^2: at each seam. */
  seam_acceleration: number[];
  inside_acceleration: number;
}

/**
 * @param actions [S, A] executed commands
 * @param states [S + 1, P] before each command and after the last
 * @param multistep commands of a chunk
 * @returns undefined for a robot whose state has no end effector, or whose actions do not move it by lengths along x, y, z
 */
export function smoothness(
  { action, state: { endEffector } }: Robot,
  actions: readonly ArrayLike<number>[],
  states: readonly ArrayLike<number>[],
  multistep: number,
): Smoothness | undefined {
  const axes = action.dimensions.flatMap(({ unit, scale }, dimension) => (unit === 'm' ? [{ dimension, scale }] : []));
  if (endEffector === undefined || axes.length !== 3) return undefined;
  const jumps: Sides = { seam: [], inside: [] };
  const accelerations: Sides = { seam: [], inside: [] };
  for (let t = 1; t < actions.length; t++) {
    const side = t % multistep === 0 ? 'seam' : 'inside';
    const [now, before] = [actions[t], actions[t - 1]];
    jumps[side].push(norm(axes.map(({ dimension, scale }) => scale * (now[dimension] - before[dimension]))));
    const second = [0, 1, 2].map((i) => {
      const [a, b, c] = [t - 1, t, t + 1].map((step) => states[step][endEffector + i]);
      return c - 2 * b + a;
    });
    accelerations[side].push(action.controlHz * action.controlHz * norm(second));
  }
  return {
    seam_jump_m: jumps.seam.map(rounded),
    inside_jump_m: rounded(mean(jumps.inside)),
    seam_acceleration: accelerations.seam.map(rounded),
    inside_acceleration: rounded(mean(accelerations.inside)),
  };
}

interface Sides {
  seam: number[];
  inside: number[];
}

const norm = (v: readonly number[]) => hypot(v[0], v[1], v[2]);
/** 0 of nothing: when every command is a chunk of its own, nothing is inside. */
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
/** Enough digits to compare; more only lengthen a line. */
const rounded = (x: number) => Number(x.toPrecision(4));
