/** Orientations as LIBERO's files hold them. */
import { atan2, cos, hypot, sin } from '../math.ts';

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
