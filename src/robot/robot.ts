/**
 * What a policy must know of a robot: what its actions mean, number by number, and what its state holds. Stored in every
 * checkpoint and in every demonstration file. Mirrored axes and flipped grippers are the field's most expensive silent
 * mistakes, so an action says its unit, frame and sign.
 */
import * as z from 'zod';
import { NinaError } from '../errors.ts';

/** Numbers of an end effector's pose: its position and the first two columns of its rotation. */
export const POSE_SIZE = 9;

const dimensionSchema = z
  .strictObject({
    name: z.string().min(1),
    unit: z.string().describe('unit of the physical quantity, per control step where the action is a difference'),
    scale: z.number().describe('physical quantity at +1'),
    frame: z.string(),
    positive: z.string().describe('what a positive number does'),
    low: z.number(),
    high: z.number(),
    rest: z
      .enum(['zero', 'hold'])
      .describe('what keeps the robot where it is when an episode is over: no motion, or the last command held'),
  })
  .superRefine(({ low, high, rest }, context) => {
    const wrong = (message: string) => context.addIssue({ code: 'custom', path: ['low'], message });
    if (!(low < high)) wrong(`low must be below high; got ${low} and ${high}`);
    else if (rest === 'zero' && (low > 0 || high < 0))
      wrong(`an action that rests at zero must have 0 in [${low}, ${high}]`);
  });

const actionSchema = z.strictObject({
  controlHz: z.number().positive().describe('actions per second'),
  dimensions: z.array(dimensionSchema).min(1),
});

const stateSchema = z
  .strictObject({
    names: z.array(z.string().min(1)).min(1).describe('of each number of the state'),
    endEffector: z
      .int()
      .min(0)
      .optional()
      .describe('where in the state the end effector is: position 3 (m, world), first two columns of its rotation 6'),
  })
  .refine(({ names, endEffector }) => endEffector === undefined || endEffector + POSE_SIZE <= names.length, {
    path: ['endEffector'],
    message: 'the pose of the end effector must lie within the state',
  });

export type ActionDimension = Readonly<z.output<typeof dimensionSchema>>;
export type ActionSpec = { readonly controlHz: number; readonly dimensions: readonly ActionDimension[] };
export type StateSpec = { readonly names: readonly string[]; readonly endEffector?: number | undefined };

export interface Robot {
  readonly name: string;
  readonly action: ActionSpec;
  readonly state: StateSpec;
}

export const robotSchema: z.ZodType<Robot> = z.strictObject({
  name: z.string().min(1),
  action: actionSchema,
  state: stateSchema,
});

/** A: numbers of an action. */
export const actionSize = ({ action }: Robot): number => action.dimensions.length;
/** P: numbers of the state. */
export const stateSize = ({ state }: Robot): number => state.names.length;

/** Whether two descriptions say the same. */
export const sameRobot = (a: Robot, b: Robot): boolean => difference(a, b) === undefined;

/**
 * @param whose how the message calls them, each with its robot
 * @throws NinaError naming both and the first thing in which they differ.
 */
export function requireSameRobot(
  [one, first]: readonly [whose: string, robot: Robot],
  [other, second]: readonly [whose: string, robot: Robot],
  advice: string,
): void {
  const differs = difference(first, second);
  if (differs === undefined) return;
  throw new NinaError(
    `${one} is of the robot ${first.name} and ${other} of ${second.name}, which differ in ${differs}. ${advice}`,
  );
}

/** Where two robots' descriptions first differ, 'action.dimensions.3.high: 1 and 2'; undefined where they do not. */
function difference(a: unknown, b: unknown, path = ''): string | undefined {
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b)
    return a === b ? undefined : `${path}: ${JSON.stringify(a) ?? 'nothing'} and ${JSON.stringify(b) ?? 'nothing'}`;
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const [x, y] = [a, b].map((one) => (one as Record<string, unknown>)[name]);
    const found = difference(x, y, path ? `${path}.${name}` : name);
    if (found) return found;
  }
  return undefined;
}
