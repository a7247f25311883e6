/** Opens and closes drawers, turns knobs: takes the handle and moves it along its joint. */
import { add, rotate, yawOf } from '../rotation.ts';
import type { ScenePart } from '../scene.ts';
import type { WorldObservation } from '../types.ts';
import { approach, descend, grip, moveTo, rise } from './motions.ts';
import type { Style } from './style.ts';
import { entityOf, fingerYaw, type HandPose, nearHome, type Waypoint } from './waypoint.ts';

/** Beyond the threshold by this share of the travel, so that letting go does not undo it. */
const MARGIN = 0.15;

/** Moves a part across its threshold: `open` for open and on, else closed and off. */
export function* operate(
  part: ScenePart,
  open: boolean,
  style: Style,
  look: () => WorldObservation,
): Generator<Waypoint> {
  const { kind, name } = part;
  const wanted = open ? kind.openFrom + MARGIN * kind.travel : -MARGIN * kind.closedTo;
  const reached = (o: WorldObservation) => {
    const { joint } = entityOf(o, name);
    return open ? joint > kind.openFrom + 0.4 * MARGIN * kind.travel : joint < 0.6 * kind.closedTo;
  };
  const handle = (o: WorldObservation): HandPose => {
    const { position, quaternion } = entityOf(o, name);
    const across = yawOf(quaternion) + (kind.kind === 'knob' ? Math.PI / 2 : 0);
    return { position, yaw: nearHome(across) };
  };
  /** The hand's pose that carries the held handle to where it is wanted. */
  const moved = (o: WorldObservation): HandPose => {
    const { position, quaternion, joint } = entityOf(o, name);
    const left = wanted - joint;
    if (kind.kind === 'drawer') return { position: add(o.eefPosition, rotate(quaternion, [0, left, 0])), yaw };
    return { position, yaw: fingerYaw(o.eefQuaternion) + left };
  };
  yield* approach(handle, style, look);
  yield descend(handle, style);
  const yaw = handle(look()).yaw;
  yield grip(look(), yaw, 1);
  yield { ...moveTo(moved, 1, 0, 80), done: reached, pace: 0.8 };
  const endYaw = fingerYaw(look().eefQuaternion);
  yield grip(look(), endYaw, -1);
  yield rise(look(), endYaw, look().eefPosition[2] + 0.1, -1);
}
