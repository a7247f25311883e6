/**
 * The arm and its gripper as MJCF: the Panda's published kinematics (Craig's Denavit-Hartenberg parameters a, d, alpha
 * of Franka Emika's documentation), joint and torque limits, and approximate link masses. Links are capsules that
 * collide with nothing; hand and fingers are boxes that do.
 */
import type { Vec3 } from './types.ts';

/**
 * Where the arm stands, metres. Pointing down it reaches from 0.32 m (nearer, the elbow folds to its limit) to 0.78 m:
 * x in [-0.22, 0.2] for |y| < 0.35.
 */
export const BASE_POSITION: Vec3 = [-0.54, 0, 0];

/** Start pose, rad: hand pointing down, fingers opening along world y. */
export const HOME_JOINTS: readonly number[] = [0, -0.161, 0, -2.4446, 0, 2.2268, Math.PI / 4];

export const ARM_JOINTS = ['joint1', 'joint2', 'joint3', 'joint4', 'joint5', 'joint6', 'joint7'] as const;
export const FINGER_JOINTS = ['finger_joint1', 'finger_joint2'] as const;
export const GRIP_SITE = 'grip_site';

/** Newton metres, per joint. */
export const TORQUE_LIMITS: readonly number[] = [87, 87, 87, 87, 12, 12, 12];

/** Travel of one finger, metres; the gripper opens to twice this. */
export const FINGER_TRAVEL_M = 0.04;

interface Link {
  /** Published transform from the previous joint frame. */
  transform: string;
  rangeRad: readonly [number, number];
  massKg: number;
  /** Capsules in the joint frame: two ends and a radius, metres. */
  capsules: readonly (readonly [ends: string, radius: number])[];
}

const TURN_PLUS = 'quat="0.70710678 0.70710678 0 0"';
const TURN_MINUS = 'quat="0.70710678 -0.70710678 0 0"';

const LINKS: readonly Link[] = [
  {
    transform: 'pos="0 0 0.333"',
    rangeRad: [-2.8973, 2.8973],
    massKg: 2.5,
    capsules: [['0 0 -0.19 0 0 0', 0.06]],
  },
  {
    transform: TURN_MINUS,
    rangeRad: [-1.7628, 1.7628],
    massKg: 2.6,
    capsules: [
      ['0 0 -0.05 0 0 0.05', 0.06],
      ['0 0 0 0 -0.2 0', 0.055],
    ],
  },
  {
    transform: `pos="0 -0.316 0" ${TURN_PLUS}`,
    rangeRad: [-2.8973, 2.8973],
    massKg: 2,
    capsules: [
      ['0 0 -0.1 0 0 0', 0.05],
      ['0 0 0 0.0825 0 0', 0.05],
    ],
  },
  {
    transform: `pos="0.0825 0 0" ${TURN_PLUS}`,
    rangeRad: [-3.0718, -0.0698],
    massKg: 2,
    capsules: [
      ['0 0 -0.04 0 0 0.04', 0.05],
      ['0 0 0 -0.0825 0.12 0', 0.05],
    ],
  },
  {
    transform: `pos="-0.0825 0.384 0" ${TURN_MINUS}`,
    rangeRad: [-2.8973, 2.8973],
    massKg: 2,
    capsules: [
      ['0 0 -0.26 0 0.03 -0.12', 0.045],
      ['0 0.08 -0.12 0 0.05 0', 0.04],
    ],
  },
  {
    transform: TURN_PLUS,
    rangeRad: [-0.0175, 3.7525],
    massKg: 1.5,
    capsules: [
      ['0 0 -0.04 0 0 0.02', 0.045],
      ['0 0 0 0.06 0 0', 0.04],
    ],
  },
  {
    transform: `pos="0.088 0 0" ${TURN_PLUS}`,
    rangeRad: [-2.8973, 2.8973],
    massKg: 0.7,
    capsules: [['0 0 0 0 0 0.07', 0.04]],
  },
];

/** The fingers slide along the hand's y; pads meet at the grip site, 0.1034 m below the hand's frame. */
const HAND = `
<body name="hand" pos="0 0 0.107" quat="0.92387953 0 0 -0.38268343">
  <geom name="hand" class="hand" size="0.03 0.1 0.032" pos="0 0 0.03" mass="0.7"/>
  <camera name="eye_in_hand" pos="0.07 0 0.035" xyaxes="0 1 0 0.955 0 0.296" fovy="75"/>
  <site name="${GRIP_SITE}" pos="0 0 0.1034" size="0.004" rgba="0 0 0 0"/>
  ${finger('left', FINGER_JOINTS[0], 1)}
  ${finger('right', FINGER_JOINTS[1], -1)}
</body>`;

function finger(side: string, joint: string, sign: 1 | -1): string {
  const range = sign > 0 ? `0 ${FINGER_TRAVEL_M}` : `${-FINGER_TRAVEL_M} 0`;
  return `<body name="${side}_finger" pos="0 0 0.0584">
    <joint name="${joint}" type="slide" axis="0 1 0" range="${range}" armature="0.5" damping="60" frictionloss="1"/>
    <geom name="${side}_finger" class="hand" size="0.009 0.006 0.0165" pos="0 ${sign * 0.01} 0.0165" mass="0.04"/>
    <geom name="${side}_pad" class="pad" size="0.012 0.005 0.011" pos="0 ${sign * 0.005} 0.044"/>
  </body>`;
}

/** Defaults used by the arm's elements. */
export const ARM_DEFAULTS = `
<default class="link"><geom type="capsule" rgba="0.93 0.93 0.95 1" contype="0" conaffinity="0"/></default>
<default class="hand"><geom type="box" rgba="0.3 0.3 0.33 1"/></default>
<default class="pad"><geom type="box" rgba="0.12 0.12 0.12 1" friction="2 0.05 0.0001" condim="4" mass="0.01"/></default>`;

/** The arm's body tree. It must come first in the world, so that its degrees of freedom are 0 to 8. */
export function armBody(): string {
  const chain = LINKS.reduceRight((inner, link, i) => {
    const name = ARM_JOINTS[i];
    const perCapsule = link.massKg / link.capsules.length;
    const geoms = link.capsules.map(
      ([ends, radius], k) =>
        `<geom name="link${i + 1}_${k}" class="link" fromto="${ends}" size="${radius}" mass="${perCapsule}"/>`,
    );
    const joint = `<joint name="${name}" range="${link.rangeRad.join(' ')}" armature="0.1" damping="0.1"/>`;
    return `<body name="link${i + 1}" ${link.transform}>${joint}${geoms.join('')}${inner}</body>`;
  }, HAND);
  return `<body name="link0" pos="${BASE_POSITION.join(' ')}">
    <geom name="link0" class="link" fromto="-0.06 0 0.05 0 0 0.14" size="0.06"/>${chain}</body>`;
}

/** Torque motors on the joints, position servos on the fingers; actuators 0 to 8 in the order of the joints. */
export function armActuators(): string {
  const motors = ARM_JOINTS.map((joint, i) => {
    const limit = TORQUE_LIMITS[i];
    return `<motor name="${joint}" joint="${joint}" ctrlrange="${-limit} ${limit}"/>`;
  });
  const servos = FINGER_JOINTS.map(
    (joint, i) =>
      `<position name="${joint}" joint="${joint}" kp="1000" forcerange="-20 20" ctrlrange="${i === 0 ? `0 ${FINGER_TRAVEL_M}` : `${-FINGER_TRAVEL_M} 0`}"/>`,
  );
  return [...motors, ...servos].join('\n');
}
