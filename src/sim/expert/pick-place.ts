/** Takes an object and puts it in or on something. */
import type { Rng } from '../../random.ts';
import type { Grasp, ObjectKind } from '../objects.ts';
import { rotate, wrap, yawOf } from '../rotation.ts';
import type { SceneObject } from '../scene.ts';
import type { Observation, Vec3 } from '../types.ts';
import { add } from '../world.ts';
import { bend, descend, grip, moveTo, rise } from './motions.ts';
import type { Style } from './style.ts';
import { entityOf, fingerYaw, type HandPose, horizontal, type Waypoint } from './waypoint.ts';

/** The fingers' direction at the arm's start pose; yaws are taken modulo pi around it. */
export const HOME_YAW = Math.PI / 2;
/** A held object follows the hand: it must have risen by this much after the lift, metres. */
const HELD_RISE_M = 0.04;
const ATTEMPTS = 4;
/** Free height under a carried object, metres. */
const CLEARANCE_M = 0.05;
/** How far beyond an object's edge an open finger reaches, metres. */
const FINGER_SPAN_M = 0.06;

/** Where an object should end up: its origin when the gripper lets go, given what is seen. */
export type Destination = (observation: Observation) => Vec3;

/** Yields waypoints; `look` gives the latest observation. Gives up after a few missed grasps. */
export function* pickAndPlace(
  object: SceneObject,
  destination: Destination,
  style: Style,
  look: () => Observation,
): Generator<Waypoint> {
  const seen = () => entityOf(look(), object.name).position;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const start = look();
    const { grasp, turn } = chooseGrasp(object, start, style.random);
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
    const carryM = Math.max(style.carryM, goal[2] + held + CLEARANCE_M);
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
function chooseGrasp(object: SceneObject, o: Observation, random: Rng): { grasp: Grasp; turn: number } {
  const { kind } = object;
  const turn = random.pick([-0.4, 0, 0.4]) + 0.08 * random.normal();
  const free = kind.grasps.filter((grasp) => isFree(grasp, object, o));
  const usable = free.length > 0 ? free : kind.grasps;
  const effort = (grasp: Grasp) => Math.abs(wrap(graspPose(o, object.name, grasp, turn).yaw - HOME_YAW, Math.PI));
  const easy = usable.filter((grasp) => effort(grasp) < EASY_TURN_RAD);
  const pool = easy.length > 0 && random.uniform() < EASY_SHARE ? easy : usable;
  return { grasp: random.pick(pool), turn };
}

/** Grasps that turn the hand by less than this are preferred, in most episodes. */
const EASY_TURN_RAD = 0.9;
const EASY_SHARE = 0.8;

function graspPose(o: Observation, name: string, { offset, yaw }: Grasp, turn: number): HandPose {
  const { position, quaternion } = entityOf(o, name);
  const world = yaw === undefined ? HOME_YAW + turn : yawOf(quaternion) + yaw;
  return { position: add(position, rotate(quaternion, offset)), yaw: HOME_YAW + wrap(world - HOME_YAW, Math.PI) };
}

/** Whether the outer finger of a rim grasp, or both fingers of another, come down clear of the neighbours. */
function isFree(grasp: Grasp, object: SceneObject, o: Observation): boolean {
  const { position, yaw } = graspPose(o, object.name, grasp, 0);
  const reach: Vec3 = [Math.cos(yaw) * FINGER_SPAN_M, Math.sin(yaw) * FINGER_SPAN_M, 0];
  const tips = [add(position, reach), minus(position, reach)];
  return o.entities.every(
    (other) =>
      other.name === object.name ||
      Math.abs(other.position[2] - position[2]) > 0.06 ||
      tips.every((tip) => horizontal(tip, other.position) > NEIGHBOUR_M),
  );
}

/** A finger needs this much room from a neighbour's centre, metres. */
const NEIGHBOUR_M = 0.045;

/** Height of an object's origin when it lies in an upright position on a surface, metres. */
export const restHeight = (surfaceM: number, kind: ObjectKind): number => surfaceM + kind.standM;

const minus = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
