/** What the simulator says about the world. Metres, radians, world frame: x away from the arm, z up, table top at z = 0. */

export type Vec3 = readonly [x: number, y: number, z: number];
/** Unit quaternion. */
export type Quat = readonly [w: number, x: number, y: number, z: number];

/** One thing the policy can see: a movable object, a fixture, or an articulated part of one (drawer, knob). */
export interface Entity {
  /** As declared in the task; a part is called `<fixture>_<part>`. */
  name: string;
  /** Words joined by underscores: `alphabet_soup`, `wooden_cabinet_top_drawer`. */
  category: string;
  /** The object's centre, the fixture's foot, or the part's handle. */
  position: Vec3;
  quaternion: Quat;
  /** Travel of a drawer (m) or angle of a knob (rad); 0 for a rigid thing. */
  joint: number;
}

/** All that scripted experts and recordings know; what a policy is asked of it is `view.ts`. */
export interface WorldObservation {
  /** [7] rad. */
  jointPositions: Float64Array;
  /** [2] finger positions, m: left in [0, 0.04], right in [-0.04, 0]. */
  gripper: Float64Array;
  /** Midpoint of the finger pads. */
  eefPosition: Vec3;
  eefQuaternion: Quat;
  /** Same entities in the same order for every observation of a task. */
  entities: Entity[];
}
