/**
 * The scripted expert: reads the task's goal, atom by atom, and does what makes each one true. It sees what a policy
 * sees, and what the scene is made of.
 */
import type { Key } from '../../random.ts';
import type { Atom } from '../bddl/index.ts';
import type { Environment } from '../environment.ts';
import { holds, partOf, regionOf } from '../predicates.ts';
import { rotate } from '../rotation.ts';
import type { SceneObject } from '../scene.ts';
import type { Observation, Vec3 } from '../types.ts';
import { add, type World } from '../world.ts';
import { operate } from './articulated.ts';
import { grip } from './motions.ts';
import { type Destination, pickAndPlace } from './pick-place.ts';
import { drawStyle, type Style } from './style.ts';
import { entityOf, follow, HOME_YAW, type Waypoint } from './waypoint.ts';

/** The next action, [7] in [-1, 1]; call once per control step, in order. */
export type Expert = (observation: Observation) => Float64Array;

/** An object is let go this far above what will carry it, metres. */
const RELEASE_ON_M = 0.006;
/** An object is let go with its origin this far above a container's box, metres. */
const RELEASE_IN_M = 0.014;
/** Spread of where things are put, metres. */
const PLACE_SPREAD_M = 0.008;
/** Distance between two things put in one place, metres. */
const SEAT_M = 0.085;
/** How often the expert goes through the goal. */
const ROUNDS = 3;

/** Plays one episode; create it after `reset`. Side, yaw, path, speed, pauses and noise come from the key. */
export function createExpert(environment: Environment, key: Key): Expert {
  const style = drawStyle(key);
  let latest = environment.observe();
  const waypoints = solve(environment.world, environment.task.problem.goal, style, () => latest);
  let current: Waypoint = grip(latest, HOME_YAW, -1);
  let steps = current.maxSteps;
  let pause = 0;
  return (observation) => {
    latest = observation;
    while (pause === 0 && (steps >= current.maxSteps || current.done(observation, steps))) {
      const next = waypoints.next();
      // Nothing left to do: stay, open.
      current = next.done ? grip(observation, HOME_YAW, -1) : next.value;
      steps = 0;
      if (style.random.uniform() < style.pauseChance) pause = 2 + style.random.int(3);
    }
    if (pause > 0) {
      pause--;
      return Float64Array.of(0, 0, 0, 0, 0, 0, current.gripper);
    }
    steps++;
    return follow(current, observation, style);
  };
}

/** Makes the goal's atoms true in order, and again what did not work out. */
function* solve(world: World, goal: readonly Atom[], style: Style, look: () => Observation): Generator<Waypoint> {
  for (let round = 0; round < ROUNDS; round++)
    for (const atom of goal) if (!holds(world, atom)) yield* achieve(world, goal, atom, style, look);
}

function* achieve(
  world: World,
  goal: readonly Atom[],
  atom: Atom,
  style: Style,
  look: () => Observation,
): Generator<Waypoint> {
  const [subject, place] = atom.args as [string, string];
  if (atom.predicate !== 'on' && atom.predicate !== 'in') {
    const opening = atom.predicate === 'open' || atom.predicate === 'turnon';
    yield* operate(partOf(world, subject, atom.predicate), opening, style, look);
    return;
  }
  const drawer = atom.predicate === 'in' ? world.scene.parts.find((part) => part.name === place) : undefined;
  if (drawer && entityOf(look(), drawer.name).joint < drawer.kind.openFrom) yield* operate(drawer, true, style, look);
  const object = world.scene.objects.find(({ name }) => name === subject)!;
  yield* pickAndPlace(world, object, destinationOf(world, goal, atom, object, style), style, look);
}

/** Where the gripper lets the object go. Things that share a place lie side by side in it. */
function destinationOf(
  world: World,
  goal: readonly Atom[],
  atom: Atom,
  object: SceneObject,
  { random }: Style,
): Destination {
  const place = atom.args[1]!;
  const sharing = goal.filter(({ predicate, args }) => predicate === atom.predicate && args[1] === place);
  const seat = SEAT_M * (sharing.indexOf(atom) - (sharing.length - 1) / 2);
  const shift: Vec3 = [seat + PLACE_SPREAD_M * random.uniform(-1, 1), PLACE_SPREAD_M * random.uniform(-1, 1), 0];
  if (!world.scene.regions.has(place)) {
    const support = [...world.scene.objects, ...world.scene.fixtures].find(({ name }) => name === place);
    const height = (support?.kind.topM ?? 0) + object.kind.standM + RELEASE_ON_M;
    return (o) => add(add(entityOf(o, place).position, [0, 0, height]), shift);
  }
  const region = regionOf(world, place);
  const { centre, half, aim = [0, 0] } = region.boxes[0]!;
  const height =
    atom.predicate === 'in'
      ? centre[2] + half[2] + RELEASE_IN_M
      : centre[2] - half[2] + object.kind.standM + RELEASE_ON_M;
  const local: Vec3 = [centre[0] + aim[0], centre[1] + aim[1], height];
  if (region.body === world.scene.table) return () => add(local, shift);
  const part = world.scene.parts.find(({ name }) => name === region.body);
  // A part is seen at its handle; the region is given from its origin.
  const seenAt = part?.kind.handle ?? [0, 0, 0];
  const offset: Vec3 = [local[0] - seenAt[0], local[1] - seenAt[1], local[2] - seenAt[2]];
  return (o) => {
    const { position, quaternion } = entityOf(o, region.body);
    return add(add(position, rotate(quaternion, offset)), shift);
  };
}
