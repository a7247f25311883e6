/** Where the gripper lets an object go, so that an atom of the goal becomes true. */
import type { Atom } from '../bddl/index.ts';
import { regionOf } from '../predicates.ts';
import { add, minus, rotate } from '../rotation.ts';
import type { SceneObject } from '../scene.ts';
import type { Vec3, WorldObservation } from '../types.ts';
import type { World } from '../world.ts';
import type { Style } from './style.ts';
import { entityOf } from './waypoint.ts';

/** The object's origin when the gripper lets go, given what is seen. */
export type Destination = (observation: WorldObservation) => Vec3;

/** An object is let go this far above what will carry it, metres. */
const RELEASE_ON_M = 0.006;
/** An object is let go with its origin this far above a container's box, metres. */
const RELEASE_IN_M = 0.014;
/** An object is let go with its origin this far above a rim, so that the fingers open over it, metres. */
const RELEASE_OVER_RIM_M = 0.012;
/** Spread of where things are put, metres. */
const PLACE_SPREAD_M = 0.008;
/** Distance between two things put in one place, metres. */
const SEAT_M = 0.085;

/** Things that share a place lie side by side in it. @param atom an On or In of the goal */
export function destinationOf(
  world: World,
  goal: readonly Atom[],
  atom: Atom,
  object: SceneObject,
  { random }: Style,
): Destination {
  const place = atom.args[1];
  const sharing = goal.filter(({ predicate, args }) => predicate === atom.predicate && args[1] === place);
  const seat = SEAT_M * (sharing.indexOf(atom) - (sharing.length - 1) / 2);
  const shift: Vec3 = [seat + PLACE_SPREAD_M * random.uniform(-1, 1), PLACE_SPREAD_M * random.uniform(-1, 1), 0];
  if (!world.scene.regions.has(place)) {
    const height = heightOn(world, place, object);
    return (o) => add(add(entityOf(o, place).position, [0, 0, height]), shift);
  }
  const region = regionOf(world, place);
  const { centre, half, aim = [0, 0] } = region.boxes[0];
  const height =
    atom.predicate === 'in'
      ? centre[2] + half[2] + RELEASE_IN_M
      : centre[2] - half[2] + object.kind.standM + RELEASE_ON_M;
  const local: Vec3 = [centre[0] + aim[0], centre[1] + aim[1], height];
  if (region.body === world.scene.table) return () => add(local, shift);
  const part = world.scene.parts.find(({ name }) => name === region.body);
  // A part is seen at its handle; the region is given from its origin.
  const offset = minus(local, part?.kind.handle ?? [0, 0, 0]);
  return (o) => {
    const { position, quaternion } = entityOf(o, region.body);
    return add(add(position, rotate(quaternion, offset)), shift);
  };
}

/** Height of an object's origin over that of its support, when the gripper lets go. */
function heightOn({ scene }: World, support: string, { kind }: SceneObject): number {
  const fixture = scene.fixtures.find(({ name }) => name === support);
  if (fixture) return (fixture.kind.topM ?? 0) + kind.standM + RELEASE_ON_M;
  const under = scene.objects.find(({ name }) => name === support);
  if (!under) return kind.standM + RELEASE_ON_M;
  const standing = under.kind.topM + kind.standM + RELEASE_ON_M;
  return under.kind.rimM === undefined ? standing : Math.max(standing, under.kind.rimM + RELEASE_OVER_RIM_M);
}
