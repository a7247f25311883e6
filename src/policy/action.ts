/**
 * What an action means, dimension by dimension: LIBERO's convention, stored in every checkpoint and checked wherever
 * actions enter or leave. Mirrored axes and flipped grippers are the field's most expensive silent mistakes.
 */
import * as z from 'zod';
import { NinaError } from '../errors.ts';

const dimensionSchema = z.strictObject({
  name: z.string(),
  /** Unit of the physical quantity, per control step. */
  unit: z.string(),
  /** Physical quantity at +1. */
  scale: z.number(),
  frame: z.string(),
  /** What a positive number does. */
  positive: z.string(),
  low: z.number(),
  high: z.number(),
});

export const actionSchema = z.strictObject({ controlHz: z.number(), dimensions: z.array(dimensionSchema) });
export type ActionSpecification = z.output<typeof actionSchema>;

const delta = (name: string, unit: string, scale: number, positive: string) => ({
  name,
  unit,
  scale,
  frame: 'world axes, relative to the achieved pose of the end effector',
  positive,
  low: -1,
  high: 1,
});

/** LIBERO's and this package's simulator's actions: operational-space control at 20 Hz. */
export const LIBERO_ACTION: ActionSpecification = {
  controlHz: 20,
  dimensions: [
    delta('position x', 'm', 0.05, 'away from the base'),
    delta('position y', 'm', 0.05, "to the robot's left"),
    delta('position z', 'm', 0.05, 'up'),
    delta('rotation x', 'rad', 0.5, 'axis-angle component about x, right-handed'),
    delta('rotation y', 'rad', 0.5, 'axis-angle component about y, right-handed'),
    delta('rotation z', 'rad', 0.5, 'axis-angle component about z, right-handed'),
    { name: 'gripper', unit: 'open/close', scale: 1, frame: 'fingers', positive: 'close', low: -1, high: 1 },
  ],
};

/** A table for people. */
export function describeActions({ controlHz, dimensions }: ActionSpecification): string {
  const rows = dimensions.map(({ name, unit, scale, frame, positive, low, high }, i) => [
    String(i),
    name,
    `[${low}, ${high}]`,
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
  return [`one action every ${1000 / controlHz} ms:`, ...lines].join('\n');
}

/** @throws NinaError with step, dimension and value for anything outside the specification. */
export function checkActions({ dimensions }: ActionSpecification, actions: ArrayLike<number>, what: string): void {
  const A = dimensions.length;
  if (actions.length % A !== 0) throw new NinaError(`${what}: ${actions.length} numbers are no rows of ${A} actions.`);
  for (let i = 0; i < actions.length; i++) {
    const { name, low, high } = dimensions[i % A];
    const value = actions[i];
    if (!(value >= low && value <= high))
      throw new NinaError(
        `${what}: step ${Math.floor(i / A)}, dimension ${i % A} (${name}) is ${value}, outside [${low}, ${high}].`,
      );
  }
}
