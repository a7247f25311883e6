/** What a policy is asked of the simulated world: the Panda's state and the poses of the things, in float32 as recorded, and pictures. */
import { ENTITY_SIZE, type Observation, PANDA, type Picture, stateSize, writeProprio } from '../robot/index.ts';
import type { Entity, WorldObservation } from './types.ts';

/** @param images by view; none: the observation has no `images` */
export function view(
  world: WorldObservation,
  instruction: string,
  images: Readonly<Record<string, Picture>>,
): Observation {
  const { eefPosition, eefQuaternion, gripper, entities } = world;
  const state = new Float32Array(stateSize(PANDA));
  writeProprio(eefPosition, eefQuaternion, gripper, state);
  const categories = entities.map((entity) => entity.category);
  const seen = Object.keys(images).length > 0 ? { images } : {};
  return { ...seen, state, entities: { categories, poses: posesOf(entities) }, instruction };
}

/** [N, 8] of N entities: position, quaternion, joint of each. */
export function posesOf(entities: readonly Entity[]): Float32Array {
  const out = new Float32Array(entities.length * ENTITY_SIZE);
  entities.forEach(({ position, quaternion, joint }, i) => {
    out.set([...position, ...quaternion, joint], i * ENTITY_SIZE);
  });
  return out;
}
