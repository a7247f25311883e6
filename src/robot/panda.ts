/**
 * LIBERO's robot and this package's simulator's: a Franka Emika Panda with a two-finger gripper under operational-space
 * control. The state is built here, in one place, so that recorded data and live rollouts agree: end-effector position
 * (3, m), rotation as the first two columns of its matrix (6, continuous: Zhou et al. 2019, arXiv 1812.07035), gripper
 * finger positions (2, m).
 */
import type { ActionDimension, Robot } from './robot.ts';

const delta = (name: string, unit: string, scale: number, positive: string): ActionDimension => ({
  ...{ name, unit, scale },
  frame: 'world axes, relative to the achieved pose of the end effector',
  ...{ positive, low: -1, high: 1, rest: 'zero' },
});

export const PANDA: Robot = {
  name: 'panda',
  action: {
    controlHz: 20,
    dimensions: [
      delta('position x', 'm', 0.05, 'away from the base'),
      delta('position y', 'm', 0.05, "to the robot's left"),
      delta('position z', 'm', 0.05, 'up'),
      delta('rotation x', 'rad', 0.5, 'axis-angle component about x, right-handed'),
      delta('rotation y', 'rad', 0.5, 'axis-angle component about y, right-handed'),
      delta('rotation z', 'rad', 0.5, 'axis-angle component about z, right-handed'),
      {
        ...{ name: 'gripper', unit: 'open/close', scale: 1, frame: 'fingers', positive: 'close', low: -1, high: 1 },
        // The other actions are motions, so zero rests; a gripper's command of 0 would let go.
        rest: 'hold',
      },
    ],
  },
  state: {
    names: [
      ...['eef_x', 'eef_y', 'eef_z', 'rot_xx', 'rot_yx', 'rot_zx', 'rot_xy', 'rot_yy', 'rot_zy'],
      ...['finger_left', 'finger_right'],
    ],
    endEffector: 0,
  },
};

/**
 * Writes one state of the Panda.
 * @param positionM end effector in the world, m [3]
 * @param quaternion unit, w x y z [4]
 * @param gripperM finger positions, m [2]
 * @param out target, as long as the state's names from `offset`
 */
export function writeProprio(
  positionM: ArrayLike<number>,
  quaternion: ArrayLike<number>,
  gripperM: ArrayLike<number>,
  out: Float32Array,
  offset = 0,
): void {
  const [w, x, y, z] = [quaternion[0], quaternion[1], quaternion[2], quaternion[3]];
  for (let i = 0; i < 3; i++) out[offset + i] = positionM[i];
  out[offset + 3] = 1 - 2 * (y * y + z * z);
  out[offset + 4] = 2 * (x * y + w * z);
  out[offset + 5] = 2 * (x * z - w * y);
  out[offset + 6] = 2 * (x * y - w * z);
  out[offset + 7] = 1 - 2 * (x * x + z * z);
  out[offset + 8] = 2 * (y * z + w * x);
  out[offset + 9] = gripperM[0];
  out[offset + 10] = gripperM[1];
}
