/**
 * What a person would check in new demonstrations: numbers that read well and mean something else. Each finding is a
 * sentence that names the first demonstration of its kind; none is an error, because each may be meant.
 */
import { hypot } from '../math.ts';
import { actionSize, ENTITY_SIZE, stateSize } from '../robot/index.ts';
import { type Episode, episodeId } from './episode.ts';

/** No tabletop is that large, and in millimetres anything farther than 1 cm from the origin is beyond it. */
const FAR_M = 10;
/** Quaternions that were rounded to float16 (2^-11 each component) are still unit within this. */
const UNIT_TOLERANCE = 0.01;

type Check = { finds: (episode: Episode) => boolean; says: string };

const CHECKS: readonly Check[] = [
  {
    finds: ({ robot, actions }) => {
      const A = actionSize(robot);
      const gripper = robot.action.dimensions.findIndex(
        ({ name, positive, low }) => name === 'gripper' && positive === 'close' && low < 0,
      );
      const commands = new Set(gripper < 0 ? [] : actions.filter((_, i) => i % A === gripper));
      // A gripper that only closes, or is only held, says nothing of how it would be opened.
      return commands.size >= 2 && [...commands].every((command) => command >= 0);
    },
    says: 'have gripper actions that are never below 0, as if 0 opened and 1 closed; -1 opens, +1 closes and 0 holds',
  },
  {
    finds: ({ robot, state }) => {
      const { endEffector } = robot.state;
      return endEffector !== undefined && beyond(state.subarray(endEffector), stateSize(robot));
    },
    says: `have end-effector positions beyond ${FAR_M} m, which looks like millimetres; positions are in metres`,
  },
  {
    finds: ({ poses }) => beyond(poses, ENTITY_SIZE),
    says: `have entity positions beyond ${FAR_M} m, which looks like millimetres; positions are in metres`,
  },
  {
    finds: ({ poses }) => {
      for (let i = 3; i < poses.length; i += ENTITY_SIZE)
        if (!(Math.abs(hypot(...poses.subarray(i, i + 4)) - 1) <= UNIT_TOLERANCE)) return true;
      return false;
    },
    says: 'have entity quaternions that are not of length 1; they are w x y z',
  },
];

/** Is any of the first three numbers of a row larger than `FAR_M`? */
function beyond(table: Float32Array, width: number): boolean {
  for (let i = 0; i < table.length; i += width)
    for (let d = 0; d < 3; d++) if (Math.abs(table[i + d]) > FAR_M) return true;
  return false;
}

/** One sentence for each kind of implausible number found in `episodes`. */
export function plausibility(episodes: readonly Episode[]): string[] {
  return CHECKS.flatMap(({ finds, says }) => {
    const found = episodes.filter(finds);
    if (found.length === 0) return [];
    return [`${found.length} of ${episodes.length} demonstrations ${says} (first: ${episodeId(found[0])}).`];
  });
}
