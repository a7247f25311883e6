/** Small made-up demonstrations for the tests of src/data. */

import type { Demonstration, TaskHeader } from '../../src/data/index.ts';
import type { Key } from '../../src/random.ts';
import { normals, rng } from '../../src/random.ts';

export const header: TaskHeader = {
  suite: 'tabletop-object',
  task: 'pick_the_can',
  instruction: 'pick the can and place it in the basket',
  bddl: '(define (problem x) (:domain robosuite))',
  entityNames: ['can_1', 'basket_1', 'bowl_1'],
  entityCategories: ['can', 'basket', 'bowl'],
  environment: { control_freq: 20 },
};

/** `steps` steps of noise whose rotation and actions are valid. */
export function demonstration(key: Key, steps: number, options: { images?: boolean } = {}): Demonstration {
  const r = rng(key);
  const uniform = (n: number) => Float64Array.from({ length: n }, () => r.uniform(-1, 1));
  const eefQuaternion = new Float64Array(steps * 4);
  for (let t = 0; t < steps; t++) {
    const q = normals([key[0], key[1] ^ t], 4);
    const norm = Math.hypot(...q);
    // A quaternion and its negative are one rotation; w >= 0 keeps comparisons plain.
    eefQuaternion.set(
      q.map((x, i) => (i === 0 ? Math.abs(x) : x) / norm),
      t * 4,
    );
  }
  const frame = 4 * 4 * 3;
  const pixels = () => Uint8Array.from({ length: steps * frame }, () => r.int(256));
  return {
    attempt: 3,
    modelXml: '<mujoco/>',
    actions: uniform(steps * 7),
    states: uniform(steps * 5),
    jointPositions: uniform(steps * 7),
    gripper: uniform(steps * 2),
    eefPosition: uniform(steps * 3),
    eefQuaternion,
    entities: Float32Array.from(uniform(steps * 3 * 8)),
    images: options.images ? { width: 4, height: 4, agentview: pixels(), eyeInHand: pixels() } : undefined,
  };
}
