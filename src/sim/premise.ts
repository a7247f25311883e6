/**
 * The premise of a task, checked after the scene has settled: everything the task file says of the start is true, and
 * its goal is not yet. A simulator upgrade or a bad placement must fail here, loudly, and not as a success rate.
 */
import { NinaError } from '../errors.ts';
import type { Atom, Problem } from './bddl/index.ts';
import { holds } from './predicates.ts';
import { rotate } from './rotation.ts';
import type { World } from './world.ts';

/** How far an object may have moved out of its region while settling, metres. */
const SETTLE_M = 0.01;
/** Least upright component of an object's axis; below it the object has fallen over. */
const UPRIGHT = 0.98;

/** @throws NinaError naming the first thing that is not as the task says. */
export function checkPremise(world: World, problem: Problem): void {
  const fail = (what: string): never => {
    throw new NinaError(
      `The premise of task '${problem.name}' failed after settling: ${what}. ` +
        'The placement or the physics engine changed; no result of this task can be trusted until that is mended.',
    );
  };
  for (const { name } of world.scene.objects) {
    const { position, quaternion } = world.pose(name);
    const upright = rotate(quaternion, [0, 0, 1])[2];
    if (!position.every(Number.isFinite) || upright < UPRIGHT) fail(`'${name}' does not stand upright`);
  }
  for (const atom of problem.init) if (!startsTrue(world, atom)) fail(`${atomText(atom)} is false`);
  if (problem.goal.every((atom) => holds(world, atom))) fail('the goal is reached before the first action');
}

function startsTrue(world: World, atom: Atom): boolean {
  const [name, where] = atom.args as [string, string];
  const region = atom.predicate === 'on' ? world.scene.regions.get(where) : undefined;
  if (region?.body !== world.scene.table) return holds(world, atom);
  const { position } = world.pose(name);
  const inside = region.boxes.some(({ centre, half }) =>
    [0, 1].every((i) => Math.abs(position[i] - centre[i]) <= half[i] + SETTLE_M),
  );
  const isObject = world.scene.objects.some((o) => o.name === name);
  return inside && (!isObject || world.physics.touching(world.body(name), world.body(world.scene.table)));
}

/** `(On bowl_1 plate_1)`, lower case. */
function atomText({ predicate, args }: Atom): string {
  return `(${[predicate, ...args].join(' ')})`;
}
