/**
 * A robot of one's own: a gantry that moves a suction cup along three axes. A robot is data; whatever trains on
 * demonstrations that carry it (the attribute `robot` of a file's /data, docs/data.md) stores it in its checkpoints, and
 * checks, clamps, pads and normalises actions by it (docs/extending.md).
 */
import type { ActionDimension, Robot } from '../src/robot/index.ts';

const travel = (axis: string, positive: string): ActionDimension => ({
  ...{ name: `velocity ${axis}`, unit: 'm/s', scale: 0.25, frame: 'gantry axes', positive },
  // Beyond the end of an episode a chunk is padded with what keeps the robot where it is: here, no velocity.
  ...{ low: -1, high: 1, rest: 'zero' },
});

export const GANTRY: Robot = {
  name: 'gantry',
  action: {
    controlHz: 10,
    dimensions: [
      travel('x', 'away from the motor'),
      travel('y', 'to the left, seen from the motor'),
      travel('z', 'up'),
      { name: 'suction', unit: 'on/off', scale: 1, frame: 'cup', positive: 'on', low: 0, high: 1, rest: 'hold' },
    ],
  },
  state: { names: ['x', 'y', 'z', 'pressure'] },
};
