/** The scene's things in the running engine: where each one is, and where to put it. */
import { NinaError } from '../errors.ts';
import { ARM_JOINTS, FINGER_JOINTS, GRIP_SITE } from './arm.ts';
import type { Physics } from './mujoco.ts';
import { add, quaternionFromMatrix, rotate } from './rotation.ts';
import type { Scene } from './scene.ts';
import type { Entity, Quat, Vec3, WorldObservation } from './types.ts';

export interface Pose {
  position: Vec3;
  quaternion: Quat;
}

/** Arm joints come first in the model, see `armBody`. */
const FINGERS_AT = ARM_JOINTS.length;

export class World {
  readonly scene: Scene;
  readonly physics: Physics;
  readonly #bodies = new Map<string, number>();
  readonly #joints = new Map<string, { position: number; velocity: number }>();
  readonly #mocaps = new Map<string, number>();
  readonly #site: number;

  constructor(scene: Scene, physics: Physics) {
    this.scene = scene;
    this.physics = physics;
    this.#site = physics.id('site', GRIP_SITE);
    const { model } = physics;
    for (const name of [scene.table, ...scene.objects, ...scene.fixtures, ...scene.parts].map(nameOf))
      this.#bodies.set(name, physics.id('body', name));
    for (const name of [...scene.objects, ...scene.parts].map(nameOf)) {
      const joint = physics.id('joint', name);
      this.#joints.set(name, { position: model.jnt_qposadr[joint], velocity: model.jnt_dofadr[joint] });
    }
    for (const { name } of scene.fixtures) this.#mocaps.set(name, model.body_mocapid[this.body(name)]);
  }

  /** Engine id of an object, a fixture, a part or the table. */
  body(name: string): number {
    return known(this.#bodies, name);
  }

  pose(name: string): Pose {
    const i = this.body(name);
    const p = this.physics.data.xpos as Float64Array;
    const q = this.physics.data.xquat as Float64Array;
    return {
      position: [p[3 * i], p[3 * i + 1], p[3 * i + 2]],
      quaternion: [q[4 * i], q[4 * i + 1], q[4 * i + 2], q[4 * i + 3]],
    };
  }

  /** Travel of a part, m or rad. */
  joint(part: string): number {
    return this.physics.data.qpos[known(this.#joints, part).position];
  }

  /** Puts a part at a joint position, at rest; `physics.refresh()` makes it seen. */
  setJoint(part: string, value: number): void {
    const { position, velocity } = known(this.#joints, part);
    this.physics.data.qpos[position] = value;
    this.physics.data.qvel[velocity] = 0;
  }

  /** Puts an object (at rest) or a fixture somewhere; `physics.refresh()` makes it seen. */
  setPose(name: string, { position, quaternion }: Pose): void {
    const { data } = this.physics;
    const mocap = this.#mocaps.get(name);
    if (mocap !== undefined) {
      data.mocap_pos.set(position, 3 * mocap);
      data.mocap_quat.set(quaternion, 4 * mocap);
      return;
    }
    const address = known(this.#joints, name);
    data.qpos.set([...position, ...quaternion], address.position);
    data.qvel.fill(0, address.velocity, address.velocity + 6);
  }

  /** Puts the arm at rest at these joints, gripper open; `physics.refresh()` makes it seen. @param joints [7] rad */
  setArm(joints: readonly number[], fingerTravelM: number): void {
    const { data } = this.physics;
    data.qpos.set([...joints, fingerTravelM, -fingerTravelM], 0);
    data.qvel.fill(0, 0, FINGERS_AT + FINGER_JOINTS.length);
  }

  /** Puts both fingers this far from the middle; `physics.refresh()` makes it seen. @param travelM in [0, 0.04] */
  setFingers(travelM: number): void {
    this.physics.data.qpos.set([travelM, -travelM], FINGERS_AT);
  }

  observe(): WorldObservation {
    const { data } = this.physics;
    const at = 3 * this.#site;
    return {
      jointPositions: data.qpos.slice(0, FINGERS_AT),
      gripper: data.qpos.slice(FINGERS_AT, FINGERS_AT + FINGER_JOINTS.length),
      eefPosition: [data.site_xpos[at], data.site_xpos[at + 1], data.site_xpos[at + 2]],
      eefQuaternion: quaternionFromMatrix(data.site_xmat.subarray(3 * at, 3 * at + 9)),
      entities: this.#entities(),
    };
  }

  #entities(): Entity[] {
    const { objects, fixtures, parts } = this.scene;
    const rigid = [...objects, ...fixtures].map(({ name, category }) => ({
      name,
      category,
      ...this.pose(name),
      joint: 0,
    }));
    const articulated = parts.map(({ name, category, kind }) => {
      const { position, quaternion } = this.pose(name);
      const handle = add(position, rotate(quaternion, kind.handle));
      return { name, category, position: handle, quaternion, joint: this.joint(name) };
    });
    return [...rigid, ...articulated];
  }
}

const nameOf = (thing: string | { name: string }) => (typeof thing === 'string' ? thing : thing.name);

function known<T>(map: ReadonlyMap<string, T>, name: string): T {
  const value = map.get(name);
  if (value === undefined)
    throw new NinaError(`The scene has nothing called '${name}' here; it has ${[...map.keys()].join(', ')}.`);
  return value;
}
