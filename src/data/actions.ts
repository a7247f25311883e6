/** Recorded actions: numbers within the robot's range, but for what rounding does to its bounds. */
import { NinaError } from '../errors.ts';
import { type ActionSpec, clampAction, isWithin } from '../robot/index.ts';
import type { Rounded } from './episode.ts';
import type { Place } from './hdf5/links.ts';
import { openNumbers, readNumbers } from './hdf5/numbers.ts';

/**
 * A 1 that went through float32 arithmetic (a normalisation and back) misses 1 by a few units in its last place, 2^-23 or
 * 1.2e-7 each. Such an action is a 1; more is an action beyond what the robot does. Relative to the larger bound.
 */
const ACTION_ROUNDING = 1e-6;

/**
 * Steps [from, to) of a demonstration's actions; all unless given.
 * @param rounded is told the actions that miss their range by rounding
 * @returns [to - from, A] within range
 * @throws NinaError naming step and dimension of the first action beyond.
 */
export function readActions(
  group: Place,
  { dimensions }: ActionSpec,
  rounded: Rounded[] = [],
  steps?: readonly [from: number, to: number],
): Float64Array {
  const A = dimensions.length;
  const data = readNumbers(openNumbers(group, 'actions', [null, A]), steps);
  const title = `${group.title}/actions`;
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    const d = i % A;
    const dimension = dimensions[d];
    if (isWithin(value, dimension)) continue;
    const step = (steps?.[0] ?? 0) + Math.floor(i / A);
    const { name, low, high } = dimension;
    const nearest = clampAction(value, dimension);
    if (!(Math.abs(value - nearest) <= ACTION_ROUNDING * Math.max(Math.abs(low), Math.abs(high))))
      throw new NinaError(
        `${title} is ${value} at step ${step}, dimension ${d} (${name}); every action must be a number in [${low}, ${high}].`,
      );
    rounded.push({ title, step, value });
    data[i] = nearest;
  }
  return data;
}
