/**
 * The movable things: what each category is built of, how it stands and where the gripper can take it. Sizes are
 * friendly to a gripper that opens to 80 mm: everything has a side of at most 52 mm or a rim, and centres of mass are low.
 */
import { cos, hypot, sin, tan } from '../math.ts';
import type { Geom } from './mjcf.ts';
import type { Vec3 } from './types.ts';

/** One way to take an object: between which two sides, and at what point. */
export interface Grasp {
  /** Where the pads meet, in the object's frame, metres. */
  offset: Vec3;
  /** Direction of the fingers' travel in the object's frame, rad modulo pi; absent: any direction will do. */
  yaw?: number;
}

export interface ObjectKind {
  geoms: readonly Geom[];
  /** The origin's height above what the object stands on, metres. */
  standM: number;
  /** Height of the surface that carries other objects, from the origin, metres. */
  topM: number;
  /** Height of a rim around that surface, from the origin: fingers must open above it. Absent: none. */
  rimM?: number;
  /** Radius of the footprint, metres. */
  radiusM: number;
  grasps: readonly Grasp[];
}

type Rgb = readonly [number, number, number];

/**
 * Where the pads' centre goes, from the origin of something this high. Low things are taken near the top, so that the
 * hand, whose underside is 41 mm above the pads' centre and 200 mm wide, passes over neighbours of up to 66 mm; high
 * things no deeper than the hand allows.
 */
const graspHeight = (halfHeight: number) => Math.max(halfHeight - 0.03, Math.min(halfHeight - 0.01, 0.03 - halfHeight));

/** An upright box; graspable across each side of at most 52 mm. */
function box(half: Vec3, color: Rgb, label: Rgb): ObjectKind {
  const [x, y, z] = half;
  const widest = 0.026;
  const offset: Vec3 = [0, 0, graspHeight(z)];
  return {
    geoms: [
      { kind: 'box', size: half, rgb: color, massKg: 0.1 },
      { kind: 'box', size: [x * 0.7, y * 0.7, 0.0005], at: [0, 0, z], rgb: label },
    ],
    standM: z,
    topM: z,
    radiusM: hypot(x, y),
    grasps: [...(y <= widest ? [{ offset, yaw: Math.PI / 2 }] : []), ...(x <= widest ? [{ offset, yaw: 0 }] : [])],
  };
}

/** An upright can. */
function can(radius: number, halfHeight: number, color: Rgb, lid: Rgb): ObjectKind {
  return {
    geoms: [
      { kind: 'cylinder', size: [radius, halfHeight, 0], rgb: color, massKg: 0.1 },
      { kind: 'cylinder', size: [radius * 0.85, 0.0005, 0], at: [0, 0, halfHeight], rgb: lid },
    ],
    standM: halfHeight,
    topM: halfHeight,
    radiusM: radius,
    grasps: [{ offset: [0, 0, graspHeight(halfHeight)] }],
  };
}

/** A round body with a neck; taken around the body, below the neck. */
function bottle(radius: number, halfHeight: number, color: Rgb, cap: Rgb): ObjectKind {
  const neck = 0.006;
  return {
    geoms: [
      { kind: 'cylinder', size: [radius, halfHeight, 0], rgb: color, massKg: 0.1 },
      { kind: 'cylinder', size: [radius * 0.4, neck, 0], at: [0, 0, halfHeight + neck], rgb: cap, massKg: 0.005 },
    ],
    standM: halfHeight,
    topM: halfHeight,
    radiusM: radius,
    grasps: [{ offset: [0, 0, graspHeight(halfHeight + neck * 2)] }],
  };
}

const shade = ([r, g, b]: Rgb): Rgb => [0.7 * r, 0.7 * g, 0.7 * b];

const BOWL_SIDES = 8;

/** An eight-sided bowl, too wide to span: taken by its rim, at the middle of any side. */
function bowl(radius: number, halfHeight: number, color: Rgb): ObjectKind {
  const floor = 0.003;
  const wall = 0.003;
  const apothem = radius - wall;
  const halfSide = radius * tan(Math.PI / BOWL_SIDES);
  const sides = Array.from({ length: BOWL_SIDES }, (_, i) => (2 * Math.PI * i) / BOWL_SIDES);
  return {
    geoms: [
      {
        kind: 'cylinder',
        size: [apothem, floor, 0],
        at: [0, 0, floor - halfHeight],
        rgb: shade(color),
        massKg: 0.06,
      },
      ...sides.map(
        (yaw): Geom => ({
          kind: 'box',
          size: [wall, halfSide, halfHeight - floor],
          at: [apothem * cos(yaw), apothem * sin(yaw), floor],
          yaw,
          rgb: color,
          massKg: 0.008,
        }),
      ),
    ],
    standM: halfHeight,
    topM: 2 * floor - halfHeight,
    rimM: halfHeight,
    radiusM: radius,
    grasps: sides.map((yaw) => ({
      offset: [apothem * cos(yaw), apothem * sin(yaw), halfHeight - 0.011],
      yaw,
    })),
  };
}

/** A can with a handle; taken across the handle's plane, so that the fingers pass beside it. */
function mug(color: Rgb, inside: Rgb): ObjectKind {
  const radius = 0.024;
  const halfHeight = 0.031;
  const body = can(radius, halfHeight, color, inside);
  return {
    ...body,
    geoms: [
      ...body.geoms,
      { kind: 'box', size: [0.009, 0.004, 0.016], at: [radius + 0.008, 0, 0], rgb: color, massKg: 0.004 },
    ],
    radiusM: radius + 0.017,
    grasps: [{ offset: [0, 0, graspHeight(halfHeight)], yaw: Math.PI / 2 }],
  };
}

const WHITE: Rgb = [0.95, 0.95, 0.93];
const RED: Rgb = [0.8, 0.12, 0.1];
const GREEN: Rgb = [0.15, 0.5, 0.2];
const BLUE: Rgb = [0.15, 0.35, 0.75];
const YELLOW: Rgb = [0.95, 0.82, 0.25];
const BROWN: Rgb = [0.35, 0.2, 0.12];
const ORANGE: Rgb = [0.95, 0.55, 0.1];
const BLACK: Rgb = [0.12, 0.12, 0.14];
const STEEL: Rgb = [0.7, 0.72, 0.75];

/** By category, as task files spell it. */
export const OBJECTS: Readonly<Record<string, ObjectKind>> = {
  alphabet_soup: can(0.024, 0.03, BLUE, STEEL),
  tomato_sauce: can(0.023, 0.028, RED, STEEL),
  salad_dressing: bottle(0.021, 0.026, GREEN, WHITE),
  ketchup: bottle(0.021, 0.025, RED, WHITE),
  bbq_sauce: bottle(0.022, 0.027, BROWN, ORANGE),
  wine_bottle: bottle(0.023, 0.027, [0.3, 0.05, 0.15], BLACK),
  cream_cheese: box([0.028, 0.02, 0.019], WHITE, BLUE),
  butter: box([0.03, 0.019, 0.018], YELLOW, WHITE),
  chocolate_pudding: box([0.028, 0.021, 0.021], BROWN, WHITE),
  milk: box([0.021, 0.021, 0.031], WHITE, GREEN),
  orange_juice: box([0.022, 0.022, 0.03], ORANGE, GREEN),
  black_book: box([0.035, 0.018, 0.028], BLACK, YELLOW),
  cookies: box([0.036, 0.036, 0.016], ORANGE, BROWN),
  white_mug: mug(WHITE, BROWN),
  red_mug: mug(RED, BLACK),
  moka_pot: mug(STEEL, BLACK),
  black_bowl: bowl(0.05, 0.022, BLACK),
  white_bowl: bowl(0.05, 0.022, WHITE),
  ramekin: can(0.045, 0.014, WHITE, ORANGE),
};
