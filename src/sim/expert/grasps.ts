/** Which way to take an object: one of its grasps with room for the open gripper, here and where it is put down. */
import type { Rng } from '../../random.ts';
import type { Grasp } from '../objects.ts';
import { add, minus, rotate, yawOf } from '../rotation.ts';
import type { SceneObject } from '../scene.ts';
import type { Observation, Vec3 } from '../types.ts';
import type { World } from '../world.ts';
import { handFits, obstacles } from './clearance.ts';
import { entityOf, type HandPose, HOME_YAW, nearHome } from './waypoint.ts';

/** Grasps that turn the hand by less than this are preferred. */
const EASY_TURN_RAD = 0.9;
/** Turns tried for a grasp that has no direction of its own, rad from the hand's start. */
const TURNS = [-0.4, 0, 0.4, -0.8, 0.8, -1.2, 1.2] as const;
const TURN_SPREAD_RAD = 0.08;

/** The pose of the hand that takes the object, wherever it is seen. */
export type GraspPose = (observation: Observation) => HandPose;

/** @param goal where the object's origin will be when the gripper lets go. */
export function chooseGrasp(world: World, object: SceneObject, goal: Vec3, o: Observation, random: Rng): GraspPose {
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
  return random.pick(easy.length > 0 ? easy : usable);
}

function graspPose({ name }: SceneObject, { offset, yaw }: Grasp, turn: number): GraspPose {
  return (o) => {
    const { position, quaternion } = entityOf(o, name);
    const direction = yaw === undefined ? HOME_YAW + turn : yawOf(quaternion) + yaw;
    return { position: add(position, rotate(quaternion, offset)), yaw: nearHome(direction) };
  };
}
