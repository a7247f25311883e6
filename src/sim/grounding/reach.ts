/**
 * Inverse kinematics of the arm by damped least squares (Wampler 1986): dq = J' (J J' + damping I)^-1 e, from a pose near
 * the start pose, so that the elbow is where the controller's posture keeps it.
 */
import { hypot } from '../../math.ts';
import { FINGER_TRAVEL_M, GRIP_SITE, HOME_JOINTS } from '../arm.ts';
import { invertPositive } from '../cholesky.ts';
import type { Physics } from '../mujoco.ts';
import { matrixFromAxisAngle, multiply } from '../rotation.ts';
import type { Vec3 } from '../types.ts';

const N = 7;
const ITERATIONS = 12;
const DAMPING = 1e-4;
/** Steps are shortened to this length, rad. */
const LONGEST_STEP = 1.2;
/** Near enough: metres and radians together. */
const TOLERANCE = 2e-3;

const jacobian = new Float64Array(6 * N);
const gram = new Float64Array(36);
const inverse = new Float64Array(36);
const factor = new Float64Array(36);
const error = new Float64Array(6);
const turn = new Float64Array(9);
const goal = new Float64Array(9);

/**
 * Writes the joints with which the pads' centre is at `target` and the hand points down, turned by `yaw` about the
 * world's z from how it is at home (fingers opening along y); poses are up to date after it.
 * @param start joints to search from, [7] rad
 * @returns whether it was reached; if not, the arm is as near as the search came
 */
export function reach(physics: Physics, target: Vec3, yaw: number, start: readonly number[]): boolean {
  const site = physics.id('site', GRIP_SITE);
  const { data, model } = physics;
  const joints = data.qpos as Float64Array;
  joints.set([...start, FINGER_TRAVEL_M, -FINGER_TRAVEL_M]);
  multiply(matrixFromAxisAngle([0, 0, yaw], turn), HOME_ROTATION, goal);
  for (let iteration = 0; ; iteration++) {
    physics.pose();
    const p = (data.site_xpos as Float64Array).subarray(3 * site, 3 * site + 3);
    const R = (data.site_xmat as Float64Array).subarray(9 * site, 9 * site + 9);
    for (let i = 0; i < 3; i++) error[i] = target[i] - p[i];
    error.fill(0, 3);
    for (let k = 0; k < 3; k++) {
      error[3] += 0.5 * (R[3 + k] * goal[6 + k] - R[6 + k] * goal[3 + k]);
      error[4] += 0.5 * (R[6 + k] * goal[k] - R[k] * goal[6 + k]);
      error[5] += 0.5 * (R[k] * goal[3 + k] - R[3 + k] * goal[k]);
    }
    if (hypot(...error) < TOLERANCE) return true;
    if (iteration === ITERATIONS) return false;
    writeJacobian(physics, p);
    for (let r = 0; r < 6; r++)
      for (let c = 0; c < 6; c++) {
        let sum = r === c ? DAMPING : 0;
        for (let j = 0; j < N; j++) sum += jacobian[N * r + j] * jacobian[N * c + j];
        gram[6 * r + c] = sum;
      }
    invertPositive(gram, 6, inverse, factor);
    const step = HOME_JOINTS.map((_, j) => {
      let sum = 0;
      for (let r = 0; r < 6; r++)
        for (let c = 0; c < 6; c++) sum += jacobian[N * r + j] * inverse[6 * r + c] * error[c];
      return sum;
    });
    const shorten = Math.min(1, LONGEST_STEP / hypot(...step));
    const range = model.jnt_range as Float64Array;
    for (let j = 0; j < N; j++)
      joints[j] = Math.min(range[2 * j + 1], Math.max(range[2 * j], joints[j] + shorten * step[j]));
  }
}

/** Of the hand pointing down with its fingers along y, as the home pose has it: x forward, y to the right, z down. */
const HOME_ROTATION = [1, 0, 0, 0, -1, 0, 0, 0, -1];

/** [6, 7] of a point of the hand: rows of velocity, then of rotation. */
function writeJacobian({ data }: Physics, p: Float64Array): void {
  const axis = data.xaxis as Float64Array;
  const anchor = data.xanchor as Float64Array;
  for (let j = 0; j < N; j++) {
    const [ax, ay, az] = [axis[3 * j], axis[3 * j + 1], axis[3 * j + 2]];
    const dx = p[0] - anchor[3 * j];
    const dy = p[1] - anchor[3 * j + 1];
    const dz = p[2] - anchor[3 * j + 2];
    jacobian[j] = ay * dz - az * dy;
    jacobian[N + j] = az * dx - ax * dz;
    jacobian[2 * N + j] = ax * dy - ay * dx;
    jacobian[3 * N + j] = ax;
    jacobian[4 * N + j] = ay;
    jacobian[5 * N + j] = az;
  }
}
