/**
 * Operational-space control of the hand's pose (Khatib 1987), with LIBERO's and robosuite's OSC_POSE convention:
 * 20 Hz actions in [-1, 1]^7 = position delta (x 0.05 m), rotation delta as a world-frame axis-angle (x 0.5 rad), and
 * gripper (-1 open, +1 close). The goal is the achieved pose plus the delta; the goal's rotation moves only when the
 * action's does. Position and rotation are decoupled:
 *
 *   tau = Jp' Lp (kp ep - kd vp) + Jr' Lr (kp er - kd vr) + N' M (kn (q0 - q) - kdn qd) + bias
 *   Lp = (Jp M^-1 Jp')^-1,  Lr likewise,  N' = I - J' (J M^-1 J')^-1 J M^-1
 *
 * Runs at every physics step and allocates nothing; the arm owns degrees of freedom 0 to 6, so its mass matrix is the
 * first block of the engine's and its Jacobian follows from joint axes and anchors.
 */
import { actionSize, PANDA } from '../robot/index.ts';
import { FINGER_TRAVEL_M, GRIP_SITE, HOME_JOINTS, TORQUE_LIMITS } from './arm.ts';
import { invertPositive } from './cholesky.ts';
import type { Physics } from './mujoco.ts';
import { matrixFromAxisAngle, multiply } from './rotation.ts';
import { TIMESTEP_S } from './timing.ts';

const { dimensions } = PANDA.action;
export const POSITION_SCALE_M = dimensions[0].scale;
export const ROTATION_SCALE_RAD = dimensions[3].scale;
export const ACTION_SIZE = actionSize(PANDA);

const STIFFNESS = 150;
const DAMPING = 2 * Math.sqrt(STIFFNESS);
const POSTURE_STIFFNESS = 10;
const POSTURE_DAMPING = 2 * Math.sqrt(POSTURE_STIFFNESS);
/** Fraction of the fingers' travel per second: shut in 0.25 s. */
const GRIPPER_RATE_HZ = 4;
/** Below this a rotation command counts as none, rad. */
const NO_ROTATION = 1e-9;
const N = 7;

export class OscController {
  readonly #physics: Physics;
  readonly #site: number;
  readonly #goalPosition = new Float64Array(3);
  readonly #goalRotation = new Float64Array(9);
  #openness = 1;
  #gripperSign = 0;

  readonly #rotationDelta = new Float64Array(9);
  readonly #jacobian = new Float64Array(6 * N);
  readonly #mass = new Float64Array(N * N);
  readonly #massInverse = new Float64Array(N * N);
  readonly #minvJt = new Float64Array(N * 6);
  readonly #task = new Float64Array(36);
  readonly #lambda = new Float64Array(36);
  readonly #block = new Float64Array(9);
  readonly #lambdaBlock = new Float64Array(9);
  readonly #error = new Float64Array(6);
  readonly #wrench = new Float64Array(6);
  readonly #posture = new Float64Array(N);
  readonly #scratch = new Float64Array(6);
  readonly #factor = new Float64Array(N * N);

  constructor(physics: Physics) {
    this.#physics = physics;
    this.#site = physics.id('site', GRIP_SITE);
  }

  /** Forgets the episode: the goal is the present pose and the gripper is open. */
  reset(): void {
    this.#openness = 1;
    this.#gripperSign = 0;
    this.#goalPosition.set(this.#sitePosition());
    this.#goalRotation.set(this.#siteRotation());
  }

  /** [10] what a restored episode needs: goal rotation and gripper opening; the rest follows from the next action. */
  state(): Float64Array {
    return Float64Array.of(...this.#goalRotation, this.#openness);
  }

  restore(state: Float64Array): void {
    this.#goalPosition.set(this.#sitePosition());
    this.#goalRotation.set(state.subarray(0, 9));
    this.#openness = state[9];
    this.#gripperSign = 0;
  }

  /** Takes one action, [7] finite numbers in [-1, 1]; call once per control step. */
  command(action: ArrayLike<number>): void {
    const position = this.#sitePosition();
    for (let i = 0; i < 3; i++) this.#goalPosition[i] = position[i] + POSITION_SCALE_M * action[i];
    const turn = [3, 4, 5].map((i) => ROTATION_SCALE_RAD * action[i]);
    if (turn.some((v) => Math.abs(v) > NO_ROTATION))
      multiply(matrixFromAxisAngle(turn, this.#rotationDelta), this.#siteRotation(), this.#goalRotation);
    this.#gripperSign = Math.sign(action[6]);
  }

  /** Writes the controls of the next physics step. */
  actuate(): void {
    this.#computeDynamics();
    this.#computeWrench();
    this.#writeTorques();
    this.#openness = Math.min(1, Math.max(0, this.#openness - this.#gripperSign * GRIPPER_RATE_HZ * TIMESTEP_S));
    const control = this.#physics.data.ctrl as Float64Array;
    control[N] = FINGER_TRAVEL_M * this.#openness;
    control[N + 1] = -FINGER_TRAVEL_M * this.#openness;
  }

  /** Jacobian [6, 7] and mass matrix [7, 7] of the arm, M^-1 J' [7, 6], J M^-1 J' [6, 6]. */
  #computeDynamics(): void {
    const { data, model } = this.#physics;
    const J = this.#jacobian;
    const axis = data.xaxis as Float64Array;
    const anchor = data.xanchor as Float64Array;
    const p = this.#sitePosition();
    for (let j = 0; j < N; j++) {
      const [ax, ay, az] = [axis[3 * j], axis[3 * j + 1], axis[3 * j + 2]];
      const dx = p[0] - anchor[3 * j];
      const dy = p[1] - anchor[3 * j + 1];
      const dz = p[2] - anchor[3 * j + 2];
      J[j] = ay * dz - az * dy;
      J[N + j] = az * dx - ax * dz;
      J[2 * N + j] = ax * dy - ay * dx;
      J[3 * N + j] = ax;
      J[4 * N + j] = ay;
      J[5 * N + j] = az;
    }
    // The engine keeps the lower triangle by rows; in a chain row i holds columns 0 to i.
    const sparse = data.M as Float64Array;
    const rowStart = model.M_rowadr as Int32Array;
    for (let i = 0; i < N; i++)
      for (let j = 0; j <= i; j++) this.#mass[i * N + j] = this.#mass[j * N + i] = sparse[rowStart[i] + j];
    invertPositive(this.#mass, N, this.#massInverse, this.#factor);
    for (let r = 0; r < N; r++)
      for (let c = 0; c < 6; c++) {
        let sum = 0;
        for (let k = 0; k < N; k++) sum += this.#massInverse[r * N + k] * J[c * N + k];
        this.#minvJt[r * 6 + c] = sum;
      }
    for (let r = 0; r < 6; r++)
      for (let c = 0; c < 6; c++) {
        let sum = 0;
        for (let k = 0; k < N; k++) sum += J[r * N + k] * this.#minvJt[k * 6 + c];
        this.#task[r * 6 + c] = sum;
      }
  }

  /** Force and torque on the hand, [6]: each half its own apparent inertia times the spring-damper acceleration. */
  #computeWrench(): void {
    const velocity = this.#physics.data.qvel as Float64Array;
    const p = this.#sitePosition();
    const R = this.#siteRotation();
    const G = this.#goalRotation;
    const error = this.#error.fill(0);
    for (let i = 0; i < 3; i++) error[i] = this.#goalPosition[i] - p[i];
    // Half the sum of cross products of present and wanted axes (Luh, Walker and Paul 1980).
    for (let k = 0; k < 3; k++) {
      error[3] += 0.5 * (R[3 + k] * G[6 + k] - R[6 + k] * G[3 + k]);
      error[4] += 0.5 * (R[6 + k] * G[k] - R[k] * G[6 + k]);
      error[5] += 0.5 * (R[k] * G[3 + k] - R[3 + k] * G[k]);
    }
    for (let r = 0; r < 6; r++) {
      let speed = 0;
      for (let j = 0; j < N; j++) speed += this.#jacobian[r * N + j] * velocity[j];
      error[r] = STIFFNESS * error[r] - DAMPING * speed;
    }
    for (let half = 0; half < 6; half += 3) {
      for (let r = 0; r < 3; r++)
        for (let c = 0; c < 3; c++) this.#block[3 * r + c] = this.#task[(half + r) * 6 + half + c];
      invertPositive(this.#block, 3, this.#lambdaBlock, this.#factor);
      for (let r = 0; r < 3; r++) {
        let sum = 0;
        for (let c = 0; c < 3; c++) sum += this.#lambdaBlock[3 * r + c] * error[half + c];
        this.#wrench[half + r] = sum;
      }
    }
  }

  #writeTorques(): void {
    const { data } = this.#physics;
    const position = data.qpos as Float64Array;
    const velocity = data.qvel as Float64Array;
    const bias = data.qfrc_bias as Float64Array;
    const control = data.ctrl as Float64Array;
    const posture = this.#posture.fill(0);
    for (let j = 0; j < N; j++) {
      const pull = POSTURE_STIFFNESS * (HOME_JOINTS[j] - position[j]) - POSTURE_DAMPING * velocity[j];
      for (let r = 0; r < N; r++) posture[r] += this.#mass[r * N + j] * pull;
    }
    // Project the posture torque so that it does not accelerate the hand.
    const y = this.#scratch.fill(0);
    for (let k = 0; k < N; k++) for (let c = 0; c < 6; c++) y[c] += this.#minvJt[k * 6 + c] * posture[k];
    for (let i = 0; i < 6; i++) this.#task[7 * i] += 1e-9;
    invertPositive(this.#task, 6, this.#lambda, this.#factor);
    for (let r = 0; r < 6; r++) for (let c = 0; c < 6; c++) this.#wrench[r] -= this.#lambda[6 * r + c] * y[c];
    for (let j = 0; j < N; j++) {
      let torque = bias[j] + posture[j];
      for (let r = 0; r < 6; r++) torque += this.#jacobian[r * N + j] * this.#wrench[r];
      const limit = TORQUE_LIMITS[j];
      control[j] = Math.min(limit, Math.max(-limit, torque));
    }
  }

  #sitePosition(): Float64Array {
    const all = this.#physics.data.site_xpos as Float64Array;
    return all.subarray(3 * this.#site, 3 * this.#site + 3);
  }

  #siteRotation(): Float64Array {
    const all = this.#physics.data.site_xmat as Float64Array;
    return all.subarray(9 * this.#site, 9 * this.#site + 9);
  }
}
