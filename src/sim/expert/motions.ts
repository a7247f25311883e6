/** The few movements that every skill is made of. */
import { add } from '../rotation.ts';
import type { Observation, Vec3 } from '../types.ts';
import type { Style } from './style.ts';
import { distance, fingerYaw, type HandPose, horizontal, type Waypoint, yawError } from './waypoint.ts';

/** Pads this close to the grasp point hold well, metres. */
const GRASP_TOLERANCE_M = 0.007;
const GRASP_TOLERANCE_RAD = 0.08;
/** Slope of the funnel that leads down to a grasp: height kept per metre of horizontal error. */
const FUNNEL_SLOPE = 4;
const CLOSE_STEPS = 7;
const OPEN_STEPS = 5;

/** Goes to a pose, within a tolerance in metres. */
export function moveTo(
  target: (observation: Observation) => HandPose,
  gripper: -1 | 1,
  toleranceM: number,
  maxSteps = 70,
): Waypoint {
  return {
    target,
    gripper,
    maxSteps,
    done: (o) => distance(target(o).position, o.eefPosition) < toleranceM,
  };
}

/** From wherever the hand is to above where it will take hold, by a path that bends to one side. */
export function* approach(to: HandPose, style: Style, look: () => Observation): Generator<Waypoint> {
  const overM = to.position[2] + style.hoverM;
  const start = look();
  if (start.eefPosition[2] < overM)
    yield rise(start, fingerYaw(start.eefQuaternion), Math.max(overM, style.carryM - 0.03), -1);
  yield bend(look().eefPosition, to.position, overM + 0.02, to.yaw, -1, style);
}

/** A point on the way, off the straight line to one side; passed in full motion. */
export function bend(from: Vec3, to: Vec3, heightM: number, yaw: number, gripper: -1 | 1, { bendM }: Style): Waypoint {
  const length = Math.max(1e-6, horizontal(from, to));
  const side: Vec3 = [(-bendM * (to[1] - from[1])) / length, (bendM * (to[0] - from[0])) / length, 0];
  const middle: Vec3 = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2, heightM];
  const position = add(middle, side);
  return moveTo(() => ({ position, yaw }), gripper, 0.04);
}

/** Comes down on a grasp, open: high while it is off to the side or turned wrong, and down as it gets above it. */
export function descend(grasp: (observation: Observation) => HandPose, { hoverM }: Style): Waypoint {
  return {
    target: (o) => {
      const { position, yaw } = grasp(o);
      const off = Math.max(0, horizontal(position, o.eefPosition) - GRASP_TOLERANCE_M);
      const turned = Math.max(0, Math.abs(yawError(o.eefQuaternion, yaw)) - GRASP_TOLERANCE_RAD);
      const height = Math.min(hoverM, FUNNEL_SLOPE * off + 0.3 * turned);
      return { position: add(position, [0, 0, height]), yaw };
    },
    gripper: -1,
    maxSteps: 50,
    done: (o) => {
      const { position, yaw } = grasp(o);
      return (
        distance(position, o.eefPosition) < GRASP_TOLERANCE_M &&
        Math.abs(yawError(o.eefQuaternion, yaw)) < GRASP_TOLERANCE_RAD
      );
    },
  };
}

/** Stays where it is while the fingers move. */
export function grip(at: Observation, yaw: number, gripper: -1 | 1): Waypoint {
  const position = at.eefPosition;
  const wait = gripper > 0 ? CLOSE_STEPS : OPEN_STEPS;
  return { target: () => ({ position, yaw }), gripper, maxSteps: wait, done: (_, steps) => steps >= wait };
}

/** Straight up or down to a height, metres above the table. */
export function rise(at: Observation, yaw: number, heightM: number, gripper: -1 | 1): Waypoint {
  const position: Vec3 = [at.eefPosition[0], at.eefPosition[1], heightM];
  return moveTo(() => ({ position, yaw }), gripper, 0.02);
}
