/** What a policy of the Panda is asked about what the simulator sees: as demonstrations hold it. */
import { ENTITY_SIZE, PANDA, type Observation as PolicyObservation, stateSize, writeProprio } from '../robot/index.ts';
import type { Entity, Observation } from './types.ts';

export type Asked = Required<Pick<PolicyObservation, 'state' | 'entities' | 'instruction'>> & {
  readonly state: Float32Array;
  readonly entities: { readonly poses: Float32Array };
};

export function asked({ eefPosition, eefQuaternion, gripper, entities }: Observation, instruction: string): Asked {
  const state = new Float32Array(stateSize(PANDA));
  writeProprio(eefPosition, eefQuaternion, gripper, state);
  const categories = entities.map((entity) => entity.category);
  return { state, entities: { categories, poses: posesOf(entities) }, instruction };
}

/** [N * 8] of `entities`: position, quaternion, joint of each. */
export function posesOf(entities: readonly Entity[]): Float32Array {
  const out = new Float32Array(entities.length * ENTITY_SIZE);
  entities.forEach((entity, i) => {
    out.set([...entity.position, ...entity.quaternion, entity.joint], i * ENTITY_SIZE);
  });
  return out;
}
