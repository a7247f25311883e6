/**
 * The six goal predicates, as LIBERO tests them at every control step:
 *   In(object, region)        the object's origin is inside the region's box
 *   On(object, region)        inside its sides, at most 0.10 m above its bottom, and touching the body that carries it
 *   On(object, other)         touching, higher than the other, and less than 0.03 m off its axis
 *   Open, Close(drawer), Turnon, Turnoff(stove)   thresholds on the joint
 */

import { NinaError } from '../errors.ts';
import { hypot } from '../math.ts';
import type { Atom } from './bddl/index.ts';
import { minus, rotate } from './rotation.ts';
import type { ScenePart, SceneRegion } from './scene.ts';
import type { Vec3 } from './types.ts';
import type { World } from './world.ts';

const ON_HEIGHT_M = 0.1;
const ON_OFFSET_M = 0.03;

/** @throws NinaError for an atom that makes no sense in this scene (a plate cannot be opened). */
export function holds(world: World, { predicate, args }: Atom): boolean {
  const [subject, place] = args as [string, string];
  switch (predicate) {
    case 'in':
      return isIn(world, subject, regionOf(world, place));
    case 'on':
      return world.scene.regions.has(place)
        ? isOnRegion(world, subject, regionOf(world, place))
        : isOnThing(world, subject, place);
    case 'open':
    case 'turnon': {
      const part = partOf(world, subject, predicate);
      return world.joint(part.name) >= part.kind.openFrom;
    }
    case 'close':
    case 'turnoff': {
      const part = partOf(world, subject, predicate);
      return world.joint(part.name) <= part.kind.closedTo;
    }
  }
}

function isIn(world: World, object: string, region: SceneRegion): boolean {
  const local = inFrame(world, region.body, world.pose(object).position);
  return region.boxes.some(({ centre, half }) => local.every((v, i) => Math.abs(v - centre[i]) <= half[i]));
}

function isOnRegion(world: World, object: string, region: SceneRegion): boolean {
  const local = inFrame(world, region.body, world.pose(object).position);
  const above = region.boxes.some(({ centre, half }) => {
    const height = local[2] - (centre[2] - half[2]);
    const inside = [0, 1].every((i) => Math.abs(local[i] - centre[i]) <= half[i]);
    return inside && height >= 0 && height <= ON_HEIGHT_M;
  });
  return above && world.physics.touching(world.body(object), world.body(region.body));
}

function isOnThing(world: World, object: string, support: string): boolean {
  const [x, y, z] = world.pose(object).position;
  const under = world.pose(support).position;
  if (support !== world.scene.table && hypot(x - under[0], y - under[1]) >= ON_OFFSET_M) return false;
  return z > under[2] && world.physics.touching(world.body(object), world.body(support));
}

/** A world point in the frame of a body. */
function inFrame(world: World, body: string, point: Vec3): Vec3 {
  const { position, quaternion: q } = world.pose(body);
  return rotate([q[0], -q[1], -q[2], -q[3]], minus(point, position));
}

export function regionOf(world: World, name: string): SceneRegion {
  const region = world.scene.regions.get(name);
  if (region) return region;
  throw new NinaError(`'${name}' is not a region; the regions are ${[...world.scene.regions.keys()].join(', ')}.`);
}

/** The part that Open, Close, Turnon and Turnoff speak of: a drawer by its region's name, a knob by its fixture's. */
export function partOf(world: World, name: string, predicate: Atom['predicate']): ScenePart {
  const kind = predicate === 'open' || predicate === 'close' ? 'drawer' : 'knob';
  const part = world.scene.parts.find((p) => p.kind.kind === kind && (p.name === name || p.fixture === name));
  if (part) return part;
  throw new NinaError(`'${name}' has no ${kind}, so '${predicate}' says nothing of it; name one that has.`);
}
