/** Vectors and rotations: 3 x 3 matrices are row-major arrays of nine, quaternions are w x y z. */
import { atan2, cos, hypot, sin } from '../math.ts';
import type { Quat, Vec3 } from './types.ts';

/** Rotation by |v| about v (Rodrigues). @param v rad, [3] @param out [9] */
export function matrixFromAxisAngle(v: ArrayLike<number>, out: Float64Array): Float64Array {
  const angle = hypot(v[0], v[1], v[2]);
  // Dividing by a subnormal angle overflows; so small a turn is none.
  const inverse = angle > 1e-12 ? 1 / angle : 0;
  const x = v[0] * inverse;
  const y = v[1] * inverse;
  const z = v[2] * inverse;
  const c = cos(angle);
  const s = sin(angle);
  const t = 1 - c;
  out[0] = t * x * x + c;
  out[1] = t * x * y - s * z;
  out[2] = t * x * z + s * y;
  out[3] = t * x * y + s * z;
  out[4] = t * y * y + c;
  out[5] = t * y * z - s * x;
  out[6] = t * x * z - s * y;
  out[7] = t * y * z + s * x;
  out[8] = t * z * z + c;
  return out;
}

/** out = a b, all [9]; `out` must be neither a nor b. */
export function multiply(a: ArrayLike<number>, b: ArrayLike<number>, out: Float64Array): Float64Array {
  for (let i = 0; i < 9; i += 3)
    for (let j = 0; j < 3; j++) out[i + j] = a[i] * b[j] + a[i + 1] * b[3 + j] + a[i + 2] * b[6 + j];
  return out;
}

/** The quaternion of a rotation matrix, w >= 0, by the largest component (Shepperd 1978). */
export function quaternionFromMatrix(m: ArrayLike<number>): Quat {
  const [a, b, c] = [m[0], m[4], m[8]];
  const squares = [1 + a + b + c, 1 + a - b - c, 1 - a + b - c, 1 - a - b + c];
  const largest = squares.indexOf(Math.max(...squares));
  const r = Math.sqrt(squares[largest]);
  const s = 0.5 / r;
  const q: number[] = [m[7] - m[5], m[2] - m[6], m[3] - m[1]];
  const p: number[] = [m[7] + m[5], m[2] + m[6], m[3] + m[1]];
  let out: [number, number, number, number];
  if (largest === 0) out = [r / 2, q[0] * s, q[1] * s, q[2] * s];
  else if (largest === 1) out = [q[0] * s, r / 2, p[2] * s, p[1] * s];
  else if (largest === 2) out = [q[1] * s, p[2] * s, r / 2, p[0] * s];
  else out = [q[2] * s, p[1] * s, p[0] * s, r / 2];
  return out[0] < 0 ? [-out[0], -out[1], -out[2], -out[3]] : out;
}

/** Rotates a vector by a unit quaternion. */
export function rotate([w, x, y, z]: Quat, [a, b, c]: Vec3): Vec3 {
  const tx = 2 * (y * c - z * b);
  const ty = 2 * (z * a - x * c);
  const tz = 2 * (x * b - y * a);
  return [a + w * tx + y * tz - z * ty, b + w * ty + z * tx - x * tz, c + w * tz + x * ty - y * tx];
}

/** Rotation about +z. */
export function quaternionFromYaw(yaw: number): Quat {
  return [cos(yaw / 2), 0, 0, sin(yaw / 2)];
}

/** Direction of the rotated x axis in the horizontal plane, rad in (-pi, pi]. */
export function yawOf(q: Quat): number {
  const [x, y] = rotate(q, [1, 0, 0]);
  return atan2(y, x);
}

/** The angle equal to `angle` modulo `period` that is nearest to zero. */
export function wrap(angle: number, period = 2 * Math.PI): number {
  return angle - period * Math.round(angle / period);
}

export const add = (a: Vec3, b: Vec3): Vec3 => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const minus = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
