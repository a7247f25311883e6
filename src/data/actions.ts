/** Recorded actions: numbers in [-1, 1], but for what rounding does to a 1. */
import { NinaError } from '../errors.ts';
import type { Place } from './hdf5/links.ts';
import { readNumbers } from './hdf5/numbers.ts';

export const ACTION_NAMES: readonly string[] = [
  'position x',
  'position y',
  'position z',
  'rotation x',
  'rotation y',
  'rotation z',
  'gripper',
];
export const ACTION_SIZE = 7;

/**
 * A 1 that went through float32 arithmetic (a normalisation and back) misses 1 by a few units in its last place, 2^-23 or
 * 1.2e-7 each. Such an action is a 1; more is an action beyond what the robot does.
 */
export const ACTION_ROUNDING = 1e-6;

/** An action that was taken as 1 or -1. */
export interface Notice {
  /** 'FILE: /data/demo_N/actions' */
  title: string;
  step: number;
  value: number;
}

/**
 * @param clamped is told the actions that miss [-1, 1] by rounding
 * @returns [T, 7] in [-1, 1]
 * @throws NinaError naming step and dimension of the first action beyond.
 */
export function readActions(group: Place, clamped: Notice[] = []): Float64Array {
  const { data, shape } = readNumbers(group, 'actions', [null, ACTION_SIZE]);
  const title = `${group.title}/actions`;
  if (shape[0] === 0) throw new NinaError(`${title} has no steps.`);
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    if (value >= -1 && value <= 1) continue;
    const step = Math.floor(i / ACTION_SIZE);
    const dimension = i % ACTION_SIZE;
    if (!(Math.abs(value) <= 1 + ACTION_ROUNDING))
      throw new NinaError(
        `${title} is ${value} at step ${step}, dimension ${dimension} ` +
          `(${ACTION_NAMES[dimension]}); every action must be a number in [-1, 1].`,
      );
    clamped.push({ title, step, value });
    data[i] = Math.sign(value);
  }
  return data;
}
