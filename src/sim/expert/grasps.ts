/**
 * Which way to take an object: of its grasps with room for the open gripper, here and where it is put down, the one
 * that is nearest to the hand, as people choose. A choice that follows from what is seen is one that an imitator
 * without memory can make again at every chunk; a choice by lot is not.
 */
import type { Rng } from '../../random.ts';
import type { Grasp } from '../objects.ts';
import { add, minus, rotate, yawOf } from '../rotation.ts';
import type { SceneObject } from '../scene.ts';
import type { Vec3, WorldObservation } from '../types.ts';
import type { World } from '../world.ts';
import { handFits, obstacles } from './clearance.ts';
import { entityOf, fingerYaw, type HandPose, HOME_YAW, horizontal, nearHome } from './waypoint.ts';

/** Grasps that turn the hand by less than this are preferred. */
const EASY_TURN_RAD = 0.9;
/** Turns tried for a grasp that has no direction of its own, rad from the hand's start. */
const TURNS = [-0.4, 0, 0.4, -0.8, 0.8, -1.2, 1.2] as const;
const TURN_SPREAD_RAD = 0.08;
/** A turn of the hand counts as much as this way, m/rad. */
const TURN_COST_M = 0.08;
/** Spread of a person's sense of what is near, metres. */
const COST_SPREAD_M = 0.01;

/** The pose of the hand that takes the object, wherever it is seen. */
export type GraspPose = (observation: WorldObservation) => HandPose;

/** @param goal where the object's origin will be when the gripper lets go. */
export function chooseGrasp(
  world: World,
  object: SceneObject,
  goal: Vec3,
  o: WorldObservation,
  random: Rng,
): GraspPose {
  const spread = TURN_SPREAD_RAD * random.normal();
  const ways = object.kind.grasps.flatMap((grasp) =>
    grasp.yaw === undefined
      ? TURNS.map((turn) => graspPose(object, grasp, turn + spread))
      : [graspPose(object, grasp, 0)],
  );
  const solids = obstacles(world.scene, o, object.name);
  const carried = minus(goal, entityOf(o, object.name).position);
  const free = ways.filter((way) => {
    const { position, yaw } = way(o);
    return handFits({ position, yaw }, solids) && handFits({ position: add(position, carried), yaw }, solids);
  });
  // A crowded object is tried all the same: pushing a neighbour aside is better than giving up.
  const usable = free.length > 0 ? free : ways;
  const easy = usable.filter((way) => Math.abs(way(o).yaw - HOME_YAW) < EASY_TURN_RAD);
  const costs = (easy.length > 0 ? easy : usable).map((way) => {
    const { position, yaw } = way(o);
    const turn = Math.abs(yaw - fingerYaw(o.eefQuaternion));
    return { way, cost: horizontal(position, o.eefPosition) + TURN_COST_M * turn + COST_SPREAD_M * random.normal() };
  });
  return costs.reduce((best, next) => (next.cost < best.cost ? next : best)).way;
}

function graspPose({ name }: SceneObject, { offset, yaw }: Grasp, turn: number): GraspPose {
  return (o) => {
    const { position, quaternion } = entityOf(o, name);
    const direction = yaw === undefined ? HOME_YAW + turn : yawOf(quaternion) + yaw;
    return { position: add(position, rotate(quaternion, offset)), yaw: nearHome(direction) };
  };
}
