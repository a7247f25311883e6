/** Waypoints of the hand, and the proportional controller that follows them with actions in [-1, 1]. */

import { NinaError } from '../../errors.ts';
import { atan2, hypot } from '../../math.ts';
import { POSITION_SCALE_M, ROTATION_SCALE_RAD } from '../osc.ts';
import { rotate, wrap } from '../rotation.ts';
import type { Entity, Quat, Vec3, WorldObservation } from '../types.ts';
import type { Style } from './style.ts';

/** A pose of the hand that points straight down. */
export interface HandPose {
  position: Vec3;
  /** Direction of the fingers' travel in the world, rad; see `nearHome`. */
  yaw: number;
}

/** Where to go next, as a function of what is seen. */
export interface Waypoint {
  target(observation: WorldObservation): HandPose;
  /** -1 open, +1 close. */
  gripper: -1 | 1;
  /** Whether this waypoint is done; a waypoint that takes longer than `maxSteps` is left too. */
  done(observation: WorldObservation, steps: number): boolean;
  maxSteps: number;
  /** Largest position command as a fraction of the style's speed; 1 if absent. */
  pace?: number;
}

/** Share of the remaining distance commanded per control step; the controller's lag damps what exceeds 1. */
const GAIN = 1.6;
const ROTATION_GAIN = 1;
/** Rotation noise relative to position noise. */
const ROTATION_NOISE = 0.3;

/** The action that brings the hand towards the waypoint, [7]. */
export function follow(waypoint: Waypoint, observation: WorldObservation, style: Style): Float64Array {
  const { position, yaw } = waypoint.target(observation);
  const limit = style.speed * (waypoint.pace ?? 1);
  const command = position.map((p, i) => (GAIN * (p - observation.eefPosition[i])) / POSITION_SCALE_M);
  const scale = Math.min(1, limit / Math.max(1e-9, hypot(...command)));
  const turn = rotationError(observation.eefQuaternion, yaw).map((v) => (ROTATION_GAIN * v) / ROTATION_SCALE_RAD);
  const { random, noise } = style;
  const action = [
    ...command.map((v) => v * scale + noise * random.normal()),
    ...turn.map((v) => Math.min(limit, Math.max(-limit, v)) + ROTATION_NOISE * noise * random.normal()),
    waypoint.gripper,
  ];
  return Float64Array.from(action, (v) => Math.min(1, Math.max(-1, v)));
}

/** World rotation vector from the present hand to one that points down with this yaw, rad. */
function rotationError(hand: Quat, yaw: number): Vec3 {
  const down = rotate(hand, [0, 0, 1]);
  // down x (0, 0, -1): the tilt to undo; its length is the sine of the angle, near enough for small tilts.
  return [-down[1], down[0], yawError(hand, yaw)];
}

/**
 * The fingers' direction at the arm's start pose, rad. All yaws are taken modulo a half turn to within a quarter turn of
 * it, and the hand turns without wrapping around, so that the last joint stays within its range.
 */
export const HOME_YAW = -Math.PI / 2;

/** The yaw within a quarter turn of the start pose that is the same direction for the fingers. */
export function nearHome(yaw: number): number {
  return HOME_YAW + wrap(yaw - HOME_YAW, Math.PI);
}

/** Signed angle from the fingers' direction to `yaw`, rad. */
export function yawError(hand: Quat, yaw: number): number {
  return yaw - fingerYaw(hand);
}

/** Direction of the fingers' travel in the horizontal plane, rad within a half turn of the start pose. */
export function fingerYaw(hand: Quat): number {
  const [x, y] = rotate(hand, [0, 1, 0]);
  return HOME_YAW + wrap(atan2(y, x) - HOME_YAW);
}

/** @throws NinaError if the observation holds no such entity. */
export function entityOf(observation: WorldObservation, name: string): Entity {
  const entity = observation.entities.find((e) => e.name === name);
  if (entity) return entity;
  throw new NinaError(
    `The expert looks for '${name}'; the observation has ${observation.entities.map((e) => e.name).join(', ')}.`,
  );
}

export const distance = (a: Vec3, b: Vec3): number => hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
export const horizontal = (a: Vec3, b: Vec3): number => hypot(a[0] - b[0], a[1] - b[1]);
