/**
 * The scripted expert: reads the task's goal, atom by atom, and does what makes each one true. It sees what a policy
 * sees, and what the scene is made of.
 */
import type { Key } from '../../random.ts';
import type { Atom } from '../bddl/index.ts';
import type { TabletopEnvironment } from '../environment.ts';
import { holds, partOf } from '../predicates.ts';
import type { WorldObservation } from '../types.ts';
import type { World } from '../world.ts';
import { operate } from './articulated.ts';
import { destinationOf } from './destination.ts';
import { grip } from './motions.ts';
import { pickAndPlace } from './pick-place.ts';
import { drawStyle, type Style } from './style.ts';
import { entityOf, follow, HOME_YAW, type Waypoint } from './waypoint.ts';

/** The next action, [7] in [-1, 1]; call once per control step, in order. */
export type Expert = (observation: WorldObservation) => Float64Array;

/** How often the expert goes through the goal. */
const ROUNDS = 3;

/** Plays one episode of the task in the world; create it after `reset`. Side, yaw, path, speed, pauses and noise come from the key. */
export function createExpert({ world, task }: Pick<TabletopEnvironment, 'world' | 'task'>, key: Key): Expert {
  const style = drawStyle(key);
  let latest = world.observe();
  const waypoints = solve(world, task.problem.goal, style, () => latest);
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
function* solve(world: World, goal: readonly Atom[], style: Style, look: () => WorldObservation): Generator<Waypoint> {
  for (let round = 0; round < ROUNDS; round++)
    for (const atom of goal) if (!holds(world, atom)) yield* achieve(world, goal, atom, style, look);
}

function* achieve(
  world: World,
  goal: readonly Atom[],
  atom: Atom,
  style: Style,
  look: () => WorldObservation,
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
