/** Takes an object and puts it in or on something. */
import type { Rng } from '../../random.ts';
import type { Grasp } from '../objects.ts';
import { rotate, yawOf } from '../rotation.ts';
import type { SceneObject } from '../scene.ts';
import type { Observation, Vec3 } from '../types.ts';
import { add, type World } from '../world.ts';
import { handFits, obstacles } from './clearance.ts';
import { bend, descend, grip, moveTo, rise } from './motions.ts';
import type { Style } from './style.ts';
import { entityOf, fingerYaw, type HandPose, HOME_YAW, horizontal, nearHome, type Waypoint } from './waypoint.ts';

/** A held object follows the hand: it must have risen by this much after the lift, metres. */
const HELD_RISE_M = 0.02;
const ATTEMPTS = 4;
/** Free height under a carried object, metres. */
const CLEARANCE_M = 0.05;
/** Least lift from where an object lay, metres: over the front of a drawer. */
const LIFT_M = 0.1;

/** Where an object should end up: its origin when the gripper lets go, given what is seen. */
export type Destination = (observation: Observation) => Vec3;

/** Yields waypoints; `look` gives the latest observation. Gives up after a few missed grasps. */
export function* pickAndPlace(
  world: World,
  object: SceneObject,
  destination: Destination,
  style: Style,
  look: () => Observation,
): Generator<Waypoint> {
  const seen = () => entityOf(look(), object.name).position;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const start = look();
    const { grasp, turn } = chooseGrasp(world, object, destination(start), start, style.random);
    const pose = (o: Observation): HandPose => graspPose(o, object.name, grasp, turn);
    const first = pose(start);
    if (start.eefPosition[2] < first.position[2] + style.hoverM)
      yield rise(start, fingerYaw(start.eefQuaternion), Math.max(start.eefPosition[2], style.carryM - 0.03), -1);
    yield bend(look().eefPosition, first.position, first.position[2] + style.hoverM + 0.02, first.yaw, -1, style);
    yield descend(pose, style);
    const yaw = pose(look()).yaw;
    const lying = seen()[2];
    yield grip(look(), yaw, 1);
    const goal = destination(look());
    const held = look().eefPosition[2] - seen()[2];
    const carryM = Math.max(style.carryM, goal[2] + held + CLEARANCE_M, look().eefPosition[2] + LIFT_M);
    yield rise(look(), yaw, carryM, 1);
    if (seen()[2] < lying + HELD_RISE_M) continue;
    const over = (height: number) => (o: Observation) => {
      const at = destination(o);
      const hand = add(o.eefPosition, minus(at, entityOf(o, object.name).position));
      return { position: [hand[0], hand[1], height] as const, yaw };
    };
    if (horizontal(seen(), goal) > 0.15)
      yield bend(look().eefPosition, over(carryM)(look()).position, carryM, yaw, 1, style);
    yield moveTo(over(carryM), 1, 0.015);
    const lower = (o: Observation): HandPose => {
      const at = destination(o);
      return { position: add(o.eefPosition, minus(at, entityOf(o, object.name).position)), yaw };
    };
    yield { ...moveTo(lower, 1, 0.008, 50), pace: 0.8 };
    yield grip(look(), yaw, -1);
    yield rise(look(), yaw, Math.max(look().eefPosition[2] + 0.08, style.carryM - 0.03), -1);
    return;
  }
}

/** A grasp and the extra turn of one that has no direction of its own. */
interface Choice {
  grasp: Grasp;
  turn: number;
}

/** Grasps that turn the hand by less than this are preferred, in most episodes. */
const EASY_TURN_RAD = 0.9;
const EASY_SHARE = 0.8;
/** Turns tried for a grasp that has no direction of its own, rad from the hand's start; the first three are natural. */
const TURNS = [-0.4, 0, 0.4, -0.8, 0.8, -1.2, 1.2] as const;
const TURN_SPREAD_RAD = 0.08;

/** One of the grasps with room for the open gripper, here and where it lets go; an easy one in most episodes. */
function chooseGrasp(world: World, object: SceneObject, goal: Vec3, o: Observation, random: Rng): Choice {
  const spread = TURN_SPREAD_RAD * random.normal();
  const choices = object.kind.grasps.flatMap((grasp) =>
    grasp.yaw === undefined ? TURNS.map((turn) => ({ grasp, turn: turn + spread })) : [{ grasp, turn: 0 }],
  );
  const pose = ({ grasp, turn }: Choice) => graspPose(o, object.name, grasp, turn);
  const solids = obstacles(world.scene, o, object.name);
  const carried = minus(goal, entityOf(o, object.name).position);
  const free = choices.filter((choice) => {
    const { position, yaw } = pose(choice);
    return handFits({ position, yaw }, solids) && handFits({ position: add(position, carried), yaw }, solids);
  });
  const usable = free.length > 0 ? free : choices;
  const easy = usable.filter((choice) => Math.abs(pose(choice).yaw - HOME_YAW) < EASY_TURN_RAD);
  return random.pick(easy.length > 0 && random.uniform() < EASY_SHARE ? easy : usable);
}

function graspPose(o: Observation, name: string, { offset, yaw }: Grasp, turn: number): HandPose {
  const { position, quaternion } = entityOf(o, name);
  const world = yaw === undefined ? HOME_YAW + turn : yawOf(quaternion) + yaw;
  return { position: add(position, rotate(quaternion, offset)), yaw: nearHome(world) };
}

const minus = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
