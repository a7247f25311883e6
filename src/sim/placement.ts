/**
 * Where everything is when an episode starts: the task's `:init` atoms in order, positions and yaws drawn uniformly
 * from their regions, redrawn until no two things on the table overlap.
 */

import { NinaError } from '../errors.ts';
import { hypot } from '../math.ts';
import { type Key, type Rng, rng } from '../random.ts';
import type { Atom, Problem } from './bddl/index.ts';
import { partOf } from './predicates.ts';
import { add, quaternionFromYaw, rotate } from './rotation.ts';
import type { SceneRegion } from './scene.ts';
import type { Pose, World } from './world.ts';

/** Objects start this far above what they stand on and settle. */
const DROP_M = 0.002;
/** Free space between the footprints of two objects that share a surface: a finger and its play. */
const GAP_M = 0.025;
const ATTEMPTS = 200;

interface Disc {
  surface: string;
  x: number;
  y: number;
  radius: number;
}

/** Moves the objects, fixtures and parts of the world; call `physics.refresh()` afterwards. */
export function place(world: World, problem: Problem, key: Key): void {
  const random = rng(key);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) if (tryPlace(world, problem, random)) return;
  throw new NinaError(
    `Task '${problem.name}': found no placement without overlaps in ${ATTEMPTS} attempts; make the regions larger or move them apart.`,
  );
}

function tryPlace(world: World, problem: Problem, random: Rng): boolean {
  const discs: Disc[] = [];
  const poses = new Map<string, Pose>([[world.scene.table, { position: [0, 0, 0], quaternion: [1, 0, 0, 0] }]]);
  // Parts first: what lies in a drawer moves with it.
  for (const part of world.scene.parts) world.setJoint(part.name, startJoint(world, part.name, problem.init, random));
  for (const { predicate, args } of problem.init) {
    if (predicate !== 'on' && predicate !== 'in') continue;
    const [name, where] = args as [string, string];
    const region = world.scene.regions.get(where);
    const pose = region ? inRegion(world, name, region, poses, random) : onThing(world, name, where, poses);
    const object = world.scene.objects.find((o) => o.name === name);
    if (object) {
      const disc = {
        surface: region?.body ?? where,
        x: pose.position[0],
        y: pose.position[1],
        radius: object.kind.radiusM,
      };
      if (discs.some((other) => overlap(disc, other))) return false;
      discs.push(disc);
    }
    poses.set(name, pose);
    world.setPose(name, pose);
  }
  const missing = [...world.scene.objects, ...world.scene.fixtures].find(({ name }) => !poses.has(name));
  if (missing)
    throw new NinaError(`Task '${problem.name}': :init does not say where '${missing.name}' is; add (On ...).`);
  return true;
}

function overlap(a: Disc, b: Disc): boolean {
  return a.surface === b.surface && hypot(a.x - b.x, a.y - b.y) < a.radius + b.radius + GAP_M;
}

function startJoint(world: World, part: string, init: readonly Atom[], random: Rng): number {
  for (const { predicate, args } of init) {
    if (predicate === 'on' || predicate === 'in') continue;
    const { name, kind } = partOf(world, args[0], predicate);
    if (name !== part) continue;
    if (predicate === 'close' || predicate === 'turnoff') return 0;
    return random.uniform(kind.openFrom + (kind.travel - kind.openFrom) / 2, kind.travel);
  }
  return 0;
}

function inRegion(
  world: World,
  name: string,
  region: SceneRegion,
  poses: ReadonlyMap<string, Pose>,
  random: Rng,
): Pose {
  const { centre, half, aim = [0, 0] } = random.pick(region.boxes);
  const base = carrier(world, region.body, poses);
  const stand = world.scene.objects.find((o) => o.name === name)?.kind.standM;
  const lift = stand === undefined ? 0 : stand + DROP_M;
  // A region of a fixture is as large as its surface: stay near the middle of it.
  const spread = region.body === world.scene.table ? 1 : 0.15;
  const local = [
    centre[0] + aim[0] + spread * random.uniform(-half[0], half[0]),
    centre[1] + aim[1] + spread * random.uniform(-half[1], half[1]),
    centre[2] - half[2] + lift,
  ] as const;
  const yaw = random.uniform(...region.yawRange);
  return { position: add(base.position, rotate(base.quaternion, local)), quaternion: turned(base, yaw) };
}

function onThing(world: World, name: string, support: string, poses: ReadonlyMap<string, Pose>): Pose {
  const base = poses.get(support);
  const carrying = [...world.scene.objects, ...world.scene.fixtures].find((thing) => thing.name === support);
  const object = world.scene.objects.find((o) => o.name === name);
  if (!base || carrying?.kind.topM === undefined || !object)
    throw new NinaError(
      `'${name}' cannot start on '${support}': put '${support}' on the table first, by an earlier atom.`,
    );
  const height = carrying.kind.topM + object.kind.standM + DROP_M;
  return { position: add(base.position, [0, 0, height]), quaternion: turned(base, 0) };
}

/** The pose of a placed fixture, or of one of its parts at its joint. */
function carrier(world: World, body: string, poses: ReadonlyMap<string, Pose>): Pose {
  const own = poses.get(body);
  if (own) return own;
  const part = world.scene.parts.find((p) => p.name === body);
  const fixture = part && poses.get(part.fixture);
  if (!fixture)
    throw new NinaError(`Something starts on '${body}' before '${body}' is placed; place it by an earlier atom.`);
  const shift: readonly [number, number, number] = [
    part.kind.at[0],
    part.kind.at[1] + (part.kind.kind === 'drawer' ? world.joint(part.name) : 0),
    part.kind.at[2],
  ];
  return { position: add(fixture.position, rotate(fixture.quaternion, shift)), quaternion: fixture.quaternion };
}

function turned(base: Pose, yaw: number): Pose['quaternion'] {
  const [w, x, y, z] = base.quaternion;
  const [c, , , s] = quaternionFromYaw(yaw);
  return [w * c - z * s, x * c + y * s, y * c - x * s, z * c + w * s];
}
