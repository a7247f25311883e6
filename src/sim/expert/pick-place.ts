/** Takes an object and puts it in or on something. */
import { minus } from '../rotation.ts';
import type { SceneObject } from '../scene.ts';
import type { WorldObservation } from '../types.ts';
import type { World } from '../world.ts';
import type { Destination } from './destination.ts';
import { chooseGrasp } from './grasps.ts';
import { beside, misjudge } from './misjudge.ts';
import { approach, bend, descend, grip, moveTo, rise } from './motions.ts';
import type { Style } from './style.ts';
import { distance, entityOf, type HandPose, horizontal, type Waypoint } from './waypoint.ts';

/** A held object follows the hand: it must have risen by this much after the lift, metres. */
const HELD_RISE_M = 0.02;
const ATTEMPTS = 4;
/** An object that moved this far in the gripper is lost, metres. */
const SLIP_M = 0.04;
/** Free height under a carried object, metres. */
const CLEARANCE_M = 0.05;
/** Least lift from where an object lay, metres: over the front of a drawer. */
const LIFT_M = 0.1;
/** Share of the carries that arrive beside the destination first, and by how much, metres. */
const MISJUDGED_CARRIES = 0.4;
const CARRY_ERROR_M = [0.02, 0.06] as const;
/** Ways shorter than this are gone straight, metres. */
const STRAIGHT_M = 0.15;

/** Yields waypoints; `look` gives the latest observation. Gives up after a few missed grasps. */
export function* pickAndPlace(
  world: World,
  object: SceneObject,
  destination: Destination,
  style: Style,
  look: () => WorldObservation,
): Generator<Waypoint> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const grasp = chooseGrasp(world, object, destination(look()), look(), style.random);
    yield* approach(grasp, style, look);
    yield* misjudge(world, object, grasp, style, look);
    yield descend(grasp, style);
    const { yaw } = grasp(look());
    const lying = entityOf(look(), object.name).position[2];
    yield grip(look(), yaw, 1);
    const held = look().eefPosition[2] - entityOf(look(), object.name).position[2];
    const high = Math.max(style.carryM, destination(look())[2] + held + CLEARANCE_M, look().eefPosition[2] + LIFT_M);
    yield rise(look(), yaw, high, 1);
    if (entityOf(look(), object.name).position[2] < lying + HELD_RISE_M) continue;
    if (yield* put(object, destination, yaw, high, style, look)) return;
  }
}

/** Carries a held object across at a height, lowers it and lets go. @returns whether it was held all the way */
function* put(
  object: SceneObject,
  destination: Destination,
  yaw: number,
  highM: number,
  style: Style,
  look: () => WorldObservation,
): Generator<Waypoint, boolean> {
  const hanging = (o: WorldObservation) => minus(entityOf(o, object.name).position, o.eefPosition);
  const taken = hanging(look());
  const lost = (o: WorldObservation) => distance(hanging(o), taken) > SLIP_M;
  const held = (waypoint: Waypoint): Waypoint => ({
    ...waypoint,
    done: (o, steps) => lost(o) || waypoint.done(o, steps),
  });
  /** The hand's pose that brings the object, as it now hangs in the gripper, to its destination. */
  const down = (o: WorldObservation): HandPose => ({
    position: minus(destination(o), hanging(o)),
    yaw,
  });
  const above = (o: WorldObservation): HandPose => {
    const [x, y] = down(o).position;
    return { position: [x, y, highM], yaw };
  };
  const from = look();
  if (horizontal(entityOf(from, object.name).position, destination(from)) > STRAIGHT_M)
    yield held(bend(from.eefPosition, above(from).position, highM, yaw, 1, style));
  if (style.random.uniform() < MISJUDGED_CARRIES)
    yield held(moveTo(beside(above, 0, CARRY_ERROR_M, style), 1, 0.03, 20));
  yield held(moveTo(above, 1, 0.015));
  yield held({ ...moveTo(down, 1, 0.008, 50), pace: 0.8 });
  const arrived = !lost(look());
  yield grip(look(), yaw, -1);
  yield rise(look(), yaw, Math.max(look().eefPosition[2] + 0.08, style.carryM - 0.03), -1);
  return arrived;
}
