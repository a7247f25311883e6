/**
 * The scripted expert: reads the task's goal, atom by atom, and does what makes each one true. It sees what a policy
 * sees, and what the scene is made of.
 */
import type { Key } from '../../random.ts';
import type { Atom } from '../bddl/index.ts';
import type { Environment } from '../environment.ts';
import { partOf, regionOf } from '../predicates.ts';
import { rotate } from '../rotation.ts';
import type { SceneObject } from '../scene.ts';
import type { Observation, Vec3 } from '../types.ts';
import { add, type World } from '../world.ts';
import { operate } from './articulated.ts';
import { grip } from './motions.ts';
import { type Destination, HOME_YAW, pickAndPlace } from './pick-place.ts';
import { drawStyle, type Style } from './style.ts';
import { entityOf, follow, type Waypoint } from './waypoint.ts';

/** The next action, [7] in [-1, 1]; call once per control step, in order. */
export type Expert = (observation: Observation) => Float64Array;

/** An object is let go this far above what will carry it, metres. */
const RELEASE_ON_M = 0.006;
/** An object is let go with its origin this far above a container's box, metres. */
const RELEASE_IN_M = 0.014;
/** Spread of where things are put, metres. */
const PLACE_SPREAD_M = 0.008;

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

function* solve(world: World, goal: readonly Atom[], style: Style, look: () => Observation): Generator<Waypoint> {
  for (const atom of goal) {
    const [subject, place] = atom.args as [string, string];
    if (atom.predicate !== 'on' && atom.predicate !== 'in') {
      const opening = atom.predicate === 'open' || atom.predicate === 'turnon';
      yield* operate(partOf(world, subject, atom.predicate), opening, style, look);
      continue;
    }
    const drawer = atom.predicate === 'in' ? world.scene.parts.find((part) => part.name === place) : undefined;
    if (drawer && entityOf(look(), drawer.name).joint < drawer.kind.openFrom) yield* operate(drawer, true, style, look);
    const object = world.scene.objects.find(({ name }) => name === subject)!;
    yield* pickAndPlace(object, destinationOf(world, atom, object, style), style, look);
  }
}

function destinationOf(world: World, { predicate, args }: Atom, object: SceneObject, { random }: Style): Destination {
  const place = args[1]!;
  const shift: Vec3 = [PLACE_SPREAD_M * random.uniform(-1, 1), PLACE_SPREAD_M * random.uniform(-1, 1), 0];
  if (!world.scene.regions.has(place)) {
    const support = [...world.scene.objects, ...world.scene.fixtures].find(({ name }) => name === place);
    const height = (support?.kind.topM ?? 0) + object.kind.standM + RELEASE_ON_M;
    return (o) => add(add(entityOf(o, place).position, [0, 0, height]), shift);
  }
  const region = regionOf(world, place);
  const { centre, half } = region.boxes[0]!;
  const height =
    predicate === 'in' ? centre[2] + half[2] + RELEASE_IN_M : centre[2] - half[2] + object.kind.standM + RELEASE_ON_M;
  const local: Vec3 = [centre[0], centre[1], height];
  const part = world.scene.parts.find(({ name }) => name === region.body);
  return (o) => {
    if (region.body === world.scene.table) return add(local, shift);
    const { position, quaternion } = entityOf(o, region.body);
    // A part is seen at its handle; the region is given from its origin.
    const from: Vec3 = part
      ? [local[0] - part.kind.handle[0], local[1] - part.kind.handle[1], local[2] - part.kind.handle[2]]
      : local;
    return add(add(position, rotate(quaternion, from)), shift);
  };
}
