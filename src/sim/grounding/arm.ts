/**
 * Where the arm is in a scene: poses as demonstrations go through. At the start pose, about to take something, carrying
 * it, or anywhere above the table; the hand points down, turned for the grasp.
 */
import { atan2, hypot, square } from '../../math.ts';
import type { Rng } from '../../random.ts';
import { FINGER_TRAVEL_M, HOME_JOINTS } from '../arm.ts';
import type { Grasp, ObjectKind } from '../objects.ts';
import { add, minus, quaternionFromYaw, rotate, wrap, yawOf } from '../rotation.ts';
import type { Vec3 } from '../types.ts';
import type { World } from '../world.ts';
import { reach } from './reach.ts';

/** Joints of the start pose spread by this, rad. */
const START_NOISE_RAD = 0.02;
/** Half sides of the workspace and its greatest height, metres; its middle is nearer to the arm than the table's. */
const WORKSPACE_M = { x: [-0.22, 0.22], y: [-0.36, 0.36], z: [0.03, 0.34] } as const;
/** The pads' centre keeps this height above what is near, metres, unless the hand is there to take it. */
const CLEARANCE_M = 0.025;
/** What is nearer than this to the hand's axis is near, metres. */
const NEAR_M = 0.13;

interface Handle {
  position: Vec3;
  /** Direction of the fingers' travel in the world, rad. */
  fingers: number;
}

/**
 * Poses the arm, and what it holds if it holds something.
 * @param movable names of objects that may be carried, where they can be grasped
 * @returns the name of the carried object
 */
export function poseArm(world: World, movable: readonly string[], random: Rng): string | undefined {
  const mode = random.uniform();
  const start = HOME_JOINTS.map((q) => q + START_NOISE_RAD * random.normal());
  world.setArm(start, FINGER_TRAVEL_M);
  if (mode < 0.12) return undefined;
  const within = handles(world, random);
  if (mode < 0.55 && within.length > 0) {
    const { position, fingers } = random.pick(within);
    const heightM = 0.2 * square(random.uniform());
    const aside = 0.003 + 0.3 * heightM;
    const above: Vec3 = [aside * random.normal(), aside * random.normal(), heightM];
    // On the way there the hand is turned a part of what the grasp wants.
    const share = random.uniform() < 0.7 ? 1 : random.uniform();
    const yaw = share * wrap(fingers - Math.PI / 2, Math.PI) + 0.05 * random.normal();
    reach(world.physics, add(position, above), yaw, start);
    if (random.uniform() < 0.2) world.setFingers(random.uniform(0, FINGER_TRAVEL_M));
    return undefined;
  }
  const anywhere = (): Vec3 => [
    random.uniform(...WORKSPACE_M.x),
    random.uniform(...WORKSPACE_M.y),
    random.uniform(...WORKSPACE_M.z),
  ];
  const target = anywhere();
  const carried = world.scene.objects.filter(({ name, kind }) => kind.grasps.length > 0 && movable.includes(name));
  if (mode < 0.8 && carried.length > 0) {
    const { name, kind } = random.pick(carried);
    const others = topsOf(world, name);
    // Half of what is carried is on its way to some place, right above it.
    const over = random.uniform() < 0.5 && others.length > 0 ? random.pick(others) : undefined;
    const [x, y] = over ? [over.x + 0.02 * random.normal(), over.y + 0.02 * random.normal()] : target;
    const grasp = random.pick(kind.grasps);
    const depth = kind.standM + grasp.offset[2];
    const z = Math.max(target[2], highest(others, x, y) + depth);
    if (reach(world.physics, [x, y, z], random.uniform(-0.8, 0.8), start)) {
      world.setFingers(halfWidth(kind, grasp));
      hold(world, name, grasp);
      return name;
    }
    world.setArm(start, FINGER_TRAVEL_M);
    return undefined;
  }
  const z = Math.max(target[2], highest(topsOf(world), target[0], target[1]) + CLEARANCE_M);
  reach(world.physics, [target[0], target[1], z], random.uniform(-1.2, 1.2), start);
  world.setFingers(random.pick([0, 0.3, 1, 1, 1]) * FINGER_TRAVEL_M);
  return undefined;
}

/** One way to take each object and part. */
function handles(world: World, random: Rng): Handle[] {
  const graspable = world.scene.objects.filter(({ kind }) => kind.grasps.length > 0);
  const objects = graspable.map(({ name, kind }) => {
    const { position, quaternion } = world.pose(name);
    const { offset, yaw } = random.pick(kind.grasps);
    const fingers = yaw === undefined ? random.uniform(0, Math.PI) : yawOf(quaternion) + yaw;
    return { position: add(position, rotate(quaternion, offset)), fingers };
  });
  const parts = world.scene.parts.map(({ name, kind }) => {
    const { position, quaternion } = world.pose(name);
    const along = kind.kind === 'drawer' ? 0 : Math.PI / 2;
    return { position: add(position, rotate(quaternion, kind.handle)), fingers: yawOf(quaternion) + along };
  });
  return [...objects, ...parts];
}

/** Puts an object between the fingers, as the hand is now. */
function hold(world: World, name: string, grasp: Grasp): void {
  world.physics.pose();
  const { eefPosition, eefQuaternion } = world.observe();
  const [x, y] = rotate(eefQuaternion, [0, 1, 0]);
  const fingers = atan2(y, x);
  const quaternion = quaternionFromYaw(fingers - (grasp.yaw ?? 0));
  world.setPose(name, { position: minus(eefPosition, rotate(quaternion, grasp.offset)), quaternion });
}

/** How far each finger is from the middle when it touches the object, metres. */
function halfWidth({ geoms: [body], rimM }: ObjectKind, { yaw }: Grasp): number {
  if (rimM !== undefined) return 0.003;
  return body.kind === 'box' && yaw !== 0 ? body.size[1] : body.size[0];
}

interface Top {
  x: number;
  y: number;
  topM: number;
}

function topsOf(world: World, without?: string): Top[] {
  const things = [...world.scene.objects, ...world.scene.fixtures].filter(({ name }) => name !== without);
  return things.map(({ name, kind }) => {
    const [x, y, z] = world.pose(name).position;
    const height = Math.max(
      ...kind.geoms.map(({ at = [0, 0, 0], kind: shape, size }) => at[2] + size[shape === 'box' ? 2 : 1]),
    );
    return { x, y, topM: z + height };
  });
}

/** Height of the highest thing near (x, y). */
const highest = (tops: readonly Top[], x: number, y: number): number =>
  Math.max(0, ...tops.filter((top) => hypot(top.x - x, top.y - y) < NEAR_M).map(({ topM }) => topM));
