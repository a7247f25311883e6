/**
 * One compiled model of everything that the suites' tasks put on the table. A scene is a problem over its names: a world of
 * that problem moves its own things, and all others wait out of every camera's sight.
 */
import type { Problem } from '../bddl/index.ts';
import { Physics } from '../mujoco.ts';
import { buildScene, type Scene } from '../scene.ts';
import { loadSuite } from '../suites.ts';
import { SUITES, type Task } from '../task.ts';
import { World } from '../world.ts';

/** Far above and behind both cameras. */
const WAITING = { position: [50, 0, 100], quaternion: [1, 0, 0, 0] } as const;

export interface Pool {
  readonly physics: Physics;
  /** Everything: what any problem may declare, by the names that the suites use. */
  readonly everything: Problem;
  readonly scene: Scene;
  /** The tasks of each suite. */
  readonly suites: readonly (readonly Task[])[];
  /** The problem's things, in the pool's model; all others are put away. */
  world(problem: Problem): World;
}

export async function openPool(): Promise<Pool> {
  const suites = SUITES.map((suite) => loadSuite(suite));
  const everything = union(suites.flat().map((task) => task.problem));
  const scene = buildScene(everything);
  const physics = await Physics.open(scene.xml);
  const all = new World(scene, physics);
  return {
    physics,
    everything,
    scene,
    suites,
    world(problem) {
      for (const { name } of [...scene.objects, ...scene.fixtures]) all.setPose(name, WAITING);
      for (const { name } of scene.parts) all.setJoint(name, 0);
      return new World(buildScene(problem), physics);
    },
  };
}

/** All that is declared, each name once: it stands for one category in every suite. */
function union(problems: readonly Problem[]): Problem {
  const once = <T extends { name: string }>(all: readonly T[]) => [
    ...new Map(all.map((one) => [one.name, one])).values(),
  ];
  return {
    ...{ name: 'everything', domain: 'tabletop', language: '', regions: [], objectsOfInterest: [], init: [], goal: [] },
    fixtures: once(problems.flatMap(({ fixtures }) => fixtures)),
    objects: once(problems.flatMap(({ objects }) => objects)),
  };
}
