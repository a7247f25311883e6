/**
 * Scenes to learn from where things are, before anything is demonstrated: both cameras' pictures, where each thing is in
 * them, and phrases that name and relate the things. Everything follows from a key; nothing is simulated, poses are set.
 *
 * Half of the scenes are the suites' tasks, as they look; of the others half look as built and half do not (`look.ts`).
 */
import { fold, type Key, type Rng, rng } from '../../random.ts';
import type { Picture } from '../../robot/index.ts';
import type { Problem } from '../bddl/index.ts';
import type { View } from '../camera/index.ts';
import { CAMERAS, type CameraName } from '../pictures.ts';
import { place } from '../placement.ts';
import { add } from '../rotation.ts';
import type { Entity, Vec3 } from '../types.ts';
import { view } from '../view.ts';
import type { World } from '../world.ts';
import { poseArm } from './arm.ts';
import { type Eye, openEye, type Shot, type Sighting } from './eye.ts';
import { randomProblem, taskProblem } from './layout.ts';
import { type Phrase, phrasesOf } from './phrases.ts';
import { openPool, type Pool } from './pool.ts';

export interface GroundedObject {
  /** As entities' are: `alphabet_soup`, `wooden_cabinet_top_drawer`. */
  category: string;
  /** Its centre, of a part its handle, metres in the world. */
  position: Vec3;
  views: Record<CameraName, Sighting>;
}

export interface GroundingScene {
  images: Record<CameraName, Picture>;
  /** From where they were taken. */
  cameras: Record<CameraName, View>;
  /** [11] as `PANDA` describes it. */
  state: Float32Array;
  objects: readonly GroundedObject[];
  phrases: readonly Phrase[];
}

export interface SceneSampler extends Disposable {
  /** A scene, always the same one for a key. */
  sample(key: Key): GroundingScene;
}

/** Share of the parts with nothing in them that are neither at one end of their travel nor at the other. */
const LOOSE_PART = 0.3;

export async function openSceneSampler(): Promise<SceneSampler> {
  const pool = await openPool();
  const eye = openEye(pool);
  return {
    sample: (key) => sample(pool, eye, key),
    [Symbol.dispose]: () => pool.physics[Symbol.dispose](),
  };
}

function sample(pool: Pool, eye: Eye, key: Key): GroundingScene {
  const { world, problem, held, task, random } = setUp(pool, key);
  const strange = !task && random.uniform() < 0.5 ? rng(fold(key, 'look')) : undefined;
  const seen = world.observe();
  const shots = eye.shoot(strange);
  const byView = <T>(of: (shot: Shot) => T) =>
    Object.fromEntries(CAMERAS.map((name) => [name, of(shots[name])])) as Record<CameraName, T>;
  const objects = seen.entities.map((entity): GroundedObject => {
    const position = centreOf(world, entity);
    return { category: entity.category, position, views: byView(({ sight }) => sight(entity.name, position)) };
  });
  return {
    images: byView(({ picture }) => picture),
    cameras: byView(({ from }) => from),
    state: view(seen, '', {}).state as Float32Array,
    objects,
    phrases: phrasesOf({ world, problem, held, task }, rng(fold(key, 'phrases'))),
  };
}

/** Puts a scene's things and the arm where the key says; `task` is whose scene it is, if it is one of the suites. */
export function setUp(pool: Pool, key: Key) {
  const random = rng(fold(key, 'scene'));
  const task = random.uniform() < 0.5 ? random.pick(random.pick(pool.suites)) : undefined;
  const problem = task ? taskProblem(task.problem, random) : randomProblem(pool.everything, random);
  const world = pool.world(problem);
  place(world, problem, fold(key, 'placement'));
  loosenParts(world, problem, random);
  pool.physics.pose();
  const carriers = new Set(problem.init.map(({ args }) => args[1]));
  const movable = world.scene.objects.map(({ name }) => name).filter((name) => !carriers.has(name));
  const held = poseArm(world, movable, rng(fold(key, 'arm')));
  pool.physics.pose();
  return { world, problem, held, task, random };
}

/** Some drawers with nothing in them, and knobs, are on their way. */
function loosenParts(world: World, problem: Problem, random: Rng): void {
  for (const { name, kind } of world.scene.parts) {
    const holds = problem.init.some(({ args }) => world.scene.regions.get(args[1])?.body === name);
    if (!holds && random.uniform() < LOOSE_PART) world.setJoint(name, random.uniform(0, kind.travel));
  }
}

/** An object's origin and a part's handle are where they should be; a fixture's origin is its foot. */
function centreOf(world: World, { name, position }: Entity): Vec3 {
  const fixture = world.scene.fixtures.find((one) => one.name === name);
  if (!fixture) return position;
  const tops = fixture.kind.geoms.map(({ at = [0, 0, 0], kind, size }) => at[2] + size[kind === 'box' ? 2 : 1]);
  return add(position, [0, 0, Math.max(...tops) / 2]);
}
