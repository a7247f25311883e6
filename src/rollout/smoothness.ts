/**
 * How smoothly an episode went: jumps between consecutive commands, and accelerations of the hand, at the seams between
 * chunks and inside them. A policy that changes its mind shows at the seams only.
 */
import { hypot } from '../math.ts';
import { CONTROL_HZ, POSITION_SCALE_M } from '../sim/index.ts';

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
 * @param actions [S, 7] executed commands
 * @param positionsM [S + 1, 3] of the hand, before each command and after the last
 * @param multistep commands of a chunk
 */
export function smoothness(
  actions: readonly ArrayLike<number>[],
  positionsM: readonly ArrayLike<number>[],
  multistep: number,
): Smoothness {
  const jumps: Sides = { seam: [], inside: [] };
  const accelerations: Sides = { seam: [], inside: [] };
  for (let t = 1; t < actions.length; t++) {
    const side = t % multistep === 0 ? 'seam' : 'inside';
    const [now, before] = [actions[t], actions[t - 1]];
    jumps[side].push(POSITION_SCALE_M * norm((i) => now[i] - before[i]));
    const [a, b, c] = [positionsM[t - 1], positionsM[t], positionsM[t + 1]];
    accelerations[side].push(CONTROL_HZ * CONTROL_HZ * norm((i) => c[i] - 2 * b[i] + a[i]));
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

const norm = (component: (i: number) => number) => hypot(component(0), component(1), component(2));
/** 0 of nothing: when every command is a chunk of its own, nothing is inside. */
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
/** Enough digits to compare; more only lengthen a line. */
const rounded = (x: number) => Number(x.toPrecision(4));
