/**
 * Rows of actions of any robot: checked against its ranges, mapped to the [-1, 1] in which decoders work and back, padded
 * beyond an episode's end, described for people.
 */
import { NinaError } from '../errors.ts';
import type { ActionDimension, ActionSpec } from './robot.ts';

/** A limit of pi, say, is one action in either precision: whether it was kept in float32 or in float64. */
export const isWithin = (value: number, { low, high }: ActionDimension): boolean =>
  value >= Math.min(low, Math.fround(low)) && value <= Math.max(high, Math.fround(high));

/** The nearest action within range. */
export const clampAction = (value: number, { low, high }: ActionDimension): number =>
  Math.min(Math.max(value, low), high);

/** @throws NinaError with step, dimension and value for anything outside the specification. */
export function checkActions({ dimensions }: ActionSpec, actions: ArrayLike<number>, what: string): void {
  const A = dimensions.length;
  if (actions.length % A !== 0) throw new NinaError(`${what}: ${actions.length} numbers are no rows of ${A} actions.`);
  for (let i = 0; i < actions.length; i++) {
    const dimension = dimensions[i % A];
    if (isWithin(actions[i], dimension)) continue;
    const { name, low, high } = dimension;
    throw new NinaError(
      `${what}: step ${Math.floor(i / A)}, dimension ${i % A} (${name}) is ${actions[i]}, outside [${low}, ${high}].`,
    );
  }
}

const middle = ({ low, high }: ActionDimension) => (low + high) / 2;
const half = ({ low, high }: ActionDimension) => (high - low) / 2;

/** Rows of actions [.., A] to the numbers that decoders learn: each dimension's range is [-1, 1]. In place. */
export function normaliseActions({ dimensions }: ActionSpec, actions: Float32Array): Float32Array {
  const A = dimensions.length;
  for (let i = 0; i < actions.length; i++) {
    const dimension = dimensions[i % A];
    actions[i] = (actions[i] - middle(dimension)) / half(dimension);
  }
  return actions;
}

/** What a decoder answered [.., A], clamped to the robot's range. In place. */
export function denormaliseActions({ dimensions }: ActionSpec, actions: Float32Array): Float32Array {
  const A = dimensions.length;
  for (let i = 0; i < actions.length; i++) {
    const dimension = dimensions[i % A];
    actions[i] = clampAction(middle(dimension) + half(dimension) * actions[i], dimension);
  }
  return actions;
}

/**
 * Fills the rows from `from` on with what keeps the robot where it is: zero, or the last command held, as each dimension says.
 * @param rows [.., A] whole rows
 * @param last [A] the episode's last action
 */
export function padActions(
  { dimensions }: ActionSpec,
  rows: Float32Array,
  from: number,
  last: ArrayLike<number>,
): void {
  const A = dimensions.length;
  for (let i = from * A; i < rows.length; i++) rows[i] = dimensions[i % A].rest === 'hold' ? last[i % A] : 0;
}

/** A table for people. */
export function describeActions({ controlHz, dimensions }: ActionSpec): string {
  const rows = dimensions.map(({ name, unit, scale, frame, positive, low, high }, i) => [
    String(i),
    name,
    `[${short(low)}, ${short(high)}]`,
    `+1 = ${scale} ${unit}`,
    `positive: ${positive}`,
    frame,
  ]);
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
  return [`one action every ${short(1000 / controlHz)} ms:`, ...lines].join('\n');
}

const short = (x: number) => String(Number(x.toFixed(4)));
