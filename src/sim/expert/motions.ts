/** The few movements that every skill is made of. */
import { add } from '../rotation.ts';
import type { Vec3, WorldObservation } from '../types.ts';
import type { Style } from './style.ts';
import { distance, fingerYaw, type HandPose, horizontal, type Waypoint, yawError } from './waypoint.ts';

/** Pads this close to the grasp point hold well, metres. */
const GRASP_TOLERANCE_M = 0.007;
const GRASP_TOLERANCE_RAD = 0.08;
/** Slope of the funnel that leads down to a grasp: height kept per metre of horizontal error. */
const FUNNEL_SLOPE = 4;
/** Speed of the way down, as a fraction of the style's. */
const DESCENT_PACE = 0.55;
const REST_STEPS = 3;
/** Where on the way to a target the path bends, as a share of it. */
const BEND_AT = 0.35;
const CLOSE_STEPS = 7;
const OPEN_STEPS = 5;

/** Goes to a pose, within a tolerance in metres. */
export function moveTo(
  target: (observation: WorldObservation) => HandPose,
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

/** From wherever the hand is to above a grasp, open, by a path that bends to one side. */
export function* approach(
  grasp: (observation: WorldObservation) => HandPose,
  style: Style,
  look: () => WorldObservation,
): Generator<Waypoint> {
  const to = grasp(look());
  const overM = to.position[2] + style.hoverM;
  const start = look();
  if (start.eefPosition[2] < overM)
    yield rise(start, fingerYaw(start.eefQuaternion), Math.max(overM, style.carryM - 0.03), -1);
  yield bend(look().eefPosition, to.position, overM + 0.02, to.yaw, -1, style);
  const over = (o: WorldObservation): HandPose => {
    const { position, yaw } = grasp(o);
    return { position: add(position, [0, 0, style.hoverM]), yaw };
  };
  yield moveTo(over, -1, 0.02);
}

/** A point early on the way, off the straight line to one side; passed in full motion. */
export function bend(from: Vec3, to: Vec3, heightM: number, yaw: number, gripper: -1 | 1, { bendM }: Style): Waypoint {
  const length = Math.max(1e-6, horizontal(from, to));
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const position: Vec3 = [
    from[0] + BEND_AT * dx - (bendM * dy) / length,
    from[1] + BEND_AT * dy + (bendM * dx) / length,
    heightM + (1 - BEND_AT) * Math.max(0, from[2] - heightM),
  ];
  return moveTo(() => ({ position, yaw }), gripper, 0.04);
}

/**
 * Comes down on a grasp: high while it is off to the side or turned wrong, and down as it gets above it. It is slow, and
 * rests a moment before the fingers close, so that whoever imitates it can look again and need not time it exactly.
 */
export function descend(grasp: (observation: WorldObservation) => HandPose, { hoverM }: Style): Waypoint {
  let resting = 0;
  return {
    target: (o) => {
      const { position, yaw } = grasp(o);
      const off = Math.max(0, horizontal(position, o.eefPosition) - GRASP_TOLERANCE_M);
      const turned = Math.max(0, Math.abs(yawError(o.eefQuaternion, yaw)) - GRASP_TOLERANCE_RAD);
      const height = Math.min(hoverM, FUNNEL_SLOPE * off + 0.3 * turned);
      return { position: add(position, [0, 0, height]), yaw };
    },
    gripper: -1,
    pace: DESCENT_PACE,
    maxSteps: 60,
    done: (o) => {
      const { position, yaw } = grasp(o);
      const there =
        distance(position, o.eefPosition) < GRASP_TOLERANCE_M &&
        Math.abs(yawError(o.eefQuaternion, yaw)) < GRASP_TOLERANCE_RAD;
      resting = there ? resting + 1 : 0;
      return resting > REST_STEPS;
    },
  };
}

/** Stays where it is while the fingers move. */
export function grip(at: WorldObservation, yaw: number, gripper: -1 | 1): Waypoint {
  const position = at.eefPosition;
  const wait = gripper > 0 ? CLOSE_STEPS : OPEN_STEPS;
  return { target: () => ({ position, yaw }), gripper, maxSteps: wait, done: (_, steps) => steps >= wait };
}

/** Straight up or down to a height, metres above the table. */
export function rise(at: WorldObservation, yaw: number, heightM: number, gripper: -1 | 1): Waypoint {
  const position: Vec3 = [at.eefPosition[0], at.eefPosition[1], heightM];
  return moveTo(() => ({ position, yaw }), gripper, 0.02);
}
