/**
 * The proprioception vector a policy sees, built in one place so that recorded data and live rollouts agree:
 * end-effector position (3, m), rotation as the first two columns of its matrix (6, continuous: Zhou et al. 2019,
 * arXiv 1812.07035), gripper finger positions (2, m).
 */
import { atan2, cos, hypot, sin } from '../math.ts';
export const PROPRIO_SIZE = 11;

export const PROPRIO_NAMES: readonly string[] = [
  'eef_x',
  'eef_y',
  'eef_z',
  'rot_xx',
  'rot_yx',
  'rot_zx',
  'rot_xy',
  'rot_yy',
  'rot_zy',
  'finger_left',
  'finger_right',
];

/**
 * Writes one proprioception vector.
 * @param positionM end effector in the world, m [3]
 * @param quaternion unit, w x y z [4]
 * @param gripperM finger positions, m [2]
 * @param out target, [.., 11] from `offset`
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

/** robosuite's axis-angle (rad, [3]) of a unit quaternion w x y z; the angle lies in [0, 2 pi]. */
export function axisAngleFromQuaternion(quaternion: ArrayLike<number>): [number, number, number] {
  const [w, x, y, z] = [quaternion[0], quaternion[1], quaternion[2], quaternion[3]];
  const sine = hypot(x, y, z);
  if (sine < 1e-12) return [0, 0, 0];
  const scale = (2 * atan2(sine, w)) / sine;
  return [x * scale, y * scale, z * scale];
}

/** The unit quaternion w x y z of an axis-angle vector (rad, [3]). */
export function quaternionFromAxisAngle(vector: ArrayLike<number>): [number, number, number, number] {
  const [x, y, z] = [vector[0], vector[1], vector[2]];
  const angle = hypot(x, y, z);
  if (angle < 1e-12) return [1, 0, 0, 0];
  const scale = sin(angle / 2) / angle;
  return [cos(angle / 2), x * scale, y * scale, z * scale];
}
