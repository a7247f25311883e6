/**
 * How smoothly an episode went: jumps between consecutive commands, and accelerations of the hand, at the seams between
 * chunks and inside them. A policy that changes its mind shows at the seams only.
 */
import { CONTROL_HZ, POSITION_SCALE_M } from '../sim/index.ts';

/** Means over an episode. A step is a seam's when its command is the first of a chunk that is not the episode's first. */
export interface Smoothness {
  /** Seams. */
  seams: number;
  /** Change of the commanded displacement from the command before, position part, metres: at seams, elsewhere. */
  jump_m: [seam: number, inside: number];
  /** Acceleration of the hand over the step and the one before, m/s^2. */
  acceleration: [seam: number, inside: number];
}

/**
 * @param actions [S, 7] executed commands
 * @param positionsM [S + 1, 3] of the hand, before each command and after the last
 * @param multistep commands of a chunk
 * @returns undefined for an episode without a seam
 */
export function smoothness(
  actions: readonly ArrayLike<number>[],
  positionsM: readonly ArrayLike<number>[],
  multistep: number,
): Smoothness | undefined {
  const jumps = meansBySide();
  const accelerations = meansBySide();
  for (let t = 1; t < actions.length; t++) {
    const seam = t % multistep === 0;
    const [now, before] = [actions[t]!, actions[t - 1]!];
    jumps.add(seam, POSITION_SCALE_M * norm((i) => now[i]! - before[i]!));
    const [a, b, c] = [positionsM[t - 1]!, positionsM[t]!, positionsM[t + 1]!];
    accelerations.add(seam, CONTROL_HZ ** 2 * norm((i) => c[i]! - 2 * b[i]! + a[i]!));
  }
  const seams = Math.floor((actions.length - 1) / multistep);
  return seams === 0 ? undefined : { seams, jump_m: jumps.means(), acceleration: accelerations.means() };
}

const norm = (component: (i: number) => number) => Math.hypot(component(0), component(1), component(2));

/** Rounded to six digits: more would only lengthen a line of JSON. An episode of seams alone has none inside: 0. */
function meansBySide() {
  const sums = { seam: 0, seams: 0, inside: 0, insides: 0 };
  return {
    add(seam: boolean, value: number) {
      if (seam) {
        sums.seam += value;
        sums.seams++;
      } else {
        sums.inside += value;
        sums.insides++;
      }
    },
    means(): [number, number] {
      const mean = (sum: number, n: number) => (n === 0 ? 0 : Number((sum / n).toPrecision(6)));
      return [mean(sums.seam, sums.seams), mean(sums.inside, sums.insides)];
    },
  };
}
