/**
 * The things that stand still: shapes, regions (boxes where objects go, bottom = the surface that carries them) and
 * articulated parts. A fixture is a mocap body: its pose is part of the state, so it can differ from episode to episode.
 */
import type { Geom } from './mjcf.ts';
import type { Vec3 } from './types.ts';

/** A box in the frame of the fixture or of one of its parts, metres. */
export interface FixtureRegion {
  part?: string;
  centre: Vec3;
  half: Vec3;
  /** Where in it things are put, from the centre; absent: at the centre. */
  aim?: readonly [x: number, y: number];
}

/** A drawer that slides along the fixture's +y, or a knob that turns about +z. */
export interface PartKind {
  kind: 'drawer' | 'knob';
  /** The part's category is `<fixture category>_<word>`. */
  word: string;
  /** Origin of the part in the fixture's frame at joint 0. */
  at: Vec3;
  geoms: readonly Geom[];
  /** Where to take hold of it, in the part's frame. The fingers travel along the part's x (drawer) or y (knob). */
  handle: Vec3;
  /** Joint range, m or rad; 0 is closed or off. */
  travel: number;
  /** Open or on from here, m or rad. */
  openFrom: number;
  /** Closed or off up to here, m or rad. */
  closedTo: number;
}

export interface FixtureKind {
  geoms: readonly Geom[];
  /** Height of the surface that carries objects, from the foot, metres; absent: only regions carry any. */
  topM?: number;
  /** Half-sizes of the footprint, metres. */
  footprintM: readonly [number, number];
  regions: Readonly<Record<string, FixtureRegion>>;
  /** By the name task files use after the fixture's: `top_region`, or `knob`. */
  parts: Readonly<Record<string, PartKind>>;
}

const WOOD = [0.62, 0.46, 0.3] as const;
const DARK_WOOD = [0.5, 0.35, 0.22] as const;
const WICKER = [0.78, 0.65, 0.42] as const;
const STEEL = [0.6, 0.62, 0.65] as const;
const BLACK = [0.15, 0.15, 0.17] as const;
const RED = [0.8, 0.15, 0.12] as const;
const FIXED_KG = 1;

const slab = (size: Vec3, at: Vec3, rgb: readonly [number, number, number], massKg = FIXED_KG): Geom => ({
  kind: 'box',
  size,
  at,
  rgb,
  massKg,
});

/** A floor and four walls around [0, 0]; the walls stand outside the inner half-size. */
function openBox(
  [x, y]: readonly [number, number],
  wallHalfHeight: number,
  rgb: readonly [number, number, number],
): Geom[] {
  const t = 0.005;
  const z = wallHalfHeight;
  return [
    slab([x, y, 0.003], [0, 0, 0.003], rgb, 0.2),
    slab([t, y + 2 * t, z], [x + t, 0, z], rgb, 0.05),
    slab([t, y + 2 * t, z], [-x - t, 0, z], rgb, 0.05),
    slab([x, t, z], [0, y + t, z], rgb, 0.05),
    slab([x, t, z], [0, -y - t, z], rgb, 0.05),
  ];
}

function basket(): FixtureKind {
  const inner = 0.085;
  const wall = 0.026;
  return {
    geoms: openBox([inner, inner], wall, WICKER),
    footprintM: [inner + 0.01, inner + 0.01],
    regions: { contain_region: { centre: [0, 0, 0.03], half: [inner, inner, 0.024] } },
    parts: {},
  };
}

function plate(): FixtureKind {
  const top = 0.008;
  return {
    geoms: [
      { kind: 'cylinder', size: [0.075, top / 2, 0], at: [0, 0, top / 2], rgb: [0.9, 0.9, 0.95], massKg: FIXED_KG },
      { kind: 'cylinder', size: [0.055, 0.0005, 0], at: [0, 0, top], rgb: [0.75, 0.3, 0.3] },
    ],
    topM: top,
    footprintM: [0.075, 0.075],
    regions: {},
    parts: {},
  };
}

/** Two drawers opening along +y. Their handles are upright fins, staggered so that the hand over one clears the other. */
function cabinet(): FixtureKind {
  const [width, depth, story, shell] = [0.11, 0.1, 0.068, 0.005];
  const height = 2 * story + 3 * 2 * shell;
  const inner: readonly [number, number] = [width - 0.016, depth - 0.012];
  const drawer = (word: string, level: number, side: 1 | -1): PartKind => ({
    kind: 'drawer',
    word,
    at: [0, 0, 2 * shell + level * (story + 2 * shell) + 0.002],
    geoms: [
      ...openBox(inner, 0.01, DARK_WOOD),
      slab([width, 0.006, story / 2 - 0.003], [0, depth + 0.007, story / 2 - 0.002], WOOD, 0.1),
      slab([0.006, 0.03, 0.011], [0.07 * side, depth + 0.043, 0.035], STEEL, 0.05),
    ],
    handle: [0.07 * side, depth + 0.056, 0.035],
    travel: 0.17,
    openFrom: 0.13,
    closedTo: 0.01,
  });
  const interior = (part: string): FixtureRegion => ({
    part,
    centre: [0, 0, 0.028],
    half: [inner[0], inner[1], 0.022],
    // The middle of what an open drawer shows.
    aim: [0, 0.018],
  });
  const walls = height / 2;
  return {
    geoms: [
      slab([width, depth, shell], [0, 0, shell], WOOD),
      slab([width, depth, shell], [0, 0, 2 * shell + story + shell], WOOD),
      slab([width, depth, shell], [0, 0, height - shell], WOOD),
      slab([shell, depth, walls], [width + shell, 0, walls], WOOD),
      slab([shell, depth, walls], [-width - shell, 0, walls], WOOD),
      slab([width, shell, walls], [0, -depth - shell, walls], WOOD),
    ],
    footprintM: [width + 0.01, depth + 0.013],
    regions: {
      top_region: interior('top_region'),
      bottom_region: interior('bottom_region'),
      top_side: { centre: [0, 0, height + 0.03], half: [width, depth, 0.03] },
    },
    parts: { top_region: drawer('top_drawer', 1, -1), bottom_region: drawer('bottom_drawer', 0, 1) },
  };
}

/** A burner at one end, a knob with an upright fin at the other. */
function stove(): FixtureKind {
  const top = 0.024;
  return {
    geoms: [
      slab([0.13, 0.08, top / 2], [0, 0, top / 2], STEEL),
      { kind: 'cylinder', size: [0.06, 0.001, 0], at: [-0.055, 0, top], rgb: BLACK },
    ],
    footprintM: [0.13, 0.08],
    regions: { cook_region: { centre: [-0.055, 0, top + 0.03], half: [0.065, 0.065, 0.03] } },
    parts: {
      knob: {
        kind: 'knob',
        word: 'knob',
        at: [0.095, 0, top],
        geoms: [
          { kind: 'cylinder', size: [0.026, 0.002, 0], at: [0, 0, 0.003], rgb: BLACK, massKg: 0.05 },
          slab([0.022, 0.006, 0.014], [0, 0, 0.019], RED, 0.05),
        ],
        handle: [0, 0, 0.02],
        travel: 1.6,
        openFrom: 0.6,
        closedTo: 0.15,
      },
    },
  };
}

/** A low stand between two rails. */
function rack(): FixtureKind {
  const top = 0.03;
  return {
    geoms: [
      slab([0.06, 0.05, top / 2], [0, 0, top / 2], DARK_WOOD),
      slab([0.005, 0.05, 0.008], [0.06, 0, top + 0.004], WOOD),
      slab([0.005, 0.05, 0.008], [-0.06, 0, top + 0.004], WOOD),
    ],
    footprintM: [0.065, 0.05],
    regions: { top_region: { centre: [0, 0, top + 0.03], half: [0.055, 0.05, 0.03] } },
    parts: {},
  };
}

/** By category, as task files spell it. The table is not here: it is the world every task stands on. */
export const FIXTURES: Readonly<Record<string, FixtureKind>> = {
  basket: basket(),
  plate: plate(),
  wooden_cabinet: cabinet(),
  flat_stove: stove(),
  wine_rack: rack(),
};
