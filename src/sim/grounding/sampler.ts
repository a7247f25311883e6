/**
 * Scenes to learn from where things are, before anything is demonstrated: both cameras' pictures, where each thing is in
 * them, and phrases that name and relate the things. Everything follows from a key; nothing is simulated, poses are set.
 *
 * Half of the scenes are the suites' tasks, as they look; of the others half look as built and half do not (`look.ts`).
 */
import { tan } from '../../math.ts';
import { fold, type Key, type Rng, rng } from '../../random.ts';
import type { Picture } from '../../robot/index.ts';
import type { Problem } from '../bddl/index.ts';
import { createCamera, type View } from '../camera/index.ts';
import { cameraPoseOf, geomPosesOf, geomsOf } from '../geometry.ts';
import { CAMERAS, type CameraName, PICTURE_SIZE } from '../pictures.ts';
import { place } from '../placement.ts';
import { add } from '../rotation.ts';
import type { Entity, Vec3 } from '../types.ts';
import { view } from '../view.ts';
import type { World } from '../world.ts';
import { poseArm } from './arm.ts';
import { randomProblem, taskProblem } from './layout.ts';
import { type Knock, knocked, randomLook } from './look.ts';
import { type Phrase, phrasesOf } from './phrases.ts';
import { openPool, type Pool } from './pool.ts';

export interface GroundedObject {
  /** As entities' are: `alphabet_soup`, `wooden_cabinet_top_drawer`. */
  category: string;
  /** Its centre, of a part its handle, metres in the world. */
  position: Vec3;
  views: Record<CameraName, Sighting>;
}

/** Where a thing is in a picture. */
export interface Sighting {
  /** Of the projected centre, in [0, 1] of the picture where it is inside, y down; -1 behind the camera. */
  x: number;
  y: number;
  /** Its centre is inside the picture, and so much of it is seen that it can be told. */
  visible: boolean;
}

export interface GroundingScene {
  images: Record<CameraName, Picture>;
  /** [11] as `PANDA` describes it. */
  state: Float32Array;
  objects: readonly GroundedObject[];
  phrases: readonly Phrase[];
}

export interface SceneSampler extends Disposable {
  /** A scene, always the same one for a key. */
  sample(key: Key): GroundingScene;
}

/** A thing is visible from so many samples on, 4 to a pixel. */
export const VISIBLE_SAMPLES = 24;
/** How far cameras are from where they belong: the one on the wrist may be mounted less exactly. */
const KNOCKS: Readonly<Record<CameraName, Knock>> = {
  agentview: { metres: 0.015, radians: 0.015, degrees: 1 },
  eye_in_hand: { metres: 0.008, radians: 0.03, degrees: 2 },
};
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
  const random = rng(fold(key, 'scene'));
  const asSuites = random.uniform() < 0.5;
  const task = random.pick(random.pick(pool.suites));
  const problem = asSuites ? taskProblem(task.problem, random) : randomProblem(pool.everything, random);
  const world = pool.world(problem);
  place(world, problem, fold(key, 'placement'));
  loosenParts(world, problem, random);
  pool.physics.pose();
  const carriers = new Set(problem.init.map(({ args }) => args[1]));
  const movable = world.scene.objects.map(({ name }) => name).filter((name) => !carriers.has(name));
  const held = poseArm(world, movable, rng(fold(key, 'arm')));
  pool.physics.pose();

  const strange = !asSuites && random.uniform() < 0.5 ? rng(fold(key, 'look')) : undefined;
  const seen = world.observe();
  const shots = eye.shoot(strange);
  const byView = <T>(of: (shot: Shot) => T) =>
    Object.fromEntries(CAMERAS.map((name) => [name, of(shots[name])])) as Record<CameraName, T>;
  const objects = seen.entities.map((entity): GroundedObject => {
    const position = centreOf(world, entity);
    return { category: entity.category, position, views: byView(({ sight }) => sight(entity.name, position)) };
  });
  const instruction = asSuites ? task : undefined;
  return {
    images: byView(({ picture }) => picture),
    state: view(seen, '', {}).state as Float32Array,
    objects,
    phrases: phrasesOf({ world, problem, held, task: instruction }, rng(fold(key, 'phrases'))),
  };
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

interface Shot {
  picture: Picture;
  sight(thing: string, centre: Vec3): Sighting;
}

interface Eye {
  /** @param strange of a scene that does not look as built: what its look follows from */
  shoot(strange: Rng | undefined): Readonly<Record<CameraName, Shot>>;
}

/** The cameras of the pool. */
function openEye({ physics, scene }: Pool): Eye {
  const geoms = geomsOf(physics);
  const bodies = Int32Array.from(physics.model.geom_bodyid as Int32Array);
  const things = [...scene.objects, ...scene.fixtures, ...scene.parts];
  const groups = new Map(things.map(({ name }, i) => [name, i + 1]));
  const groupOf = new Map([...groups].map(([name, group]) => [physics.id('body', name), group]));
  const camera = createCamera(geoms, {
    ...PICTURE_SIZE,
    groups: Array.from(bodies, (body) => groupOf.get(body) ?? 0),
  });
  const colours = Float64Array.from(geoms.flatMap(({ rgba }) => rgba.slice(0, 3)));
  return {
    shoot(strange) {
      const poses = geomPosesOf(physics);
      const look = strange && randomLook(colours, bodies, (body) => groupOf.has(body), strange);
      const shots = CAMERAS.map((name): [CameraName, Shot] => {
        const own = cameraPoseOf(physics, name);
        const from = strange ? knocked(own, KNOCKS[name], strange) : own;
        const data = camera.render(poses, from, undefined, look);
        const samples = camera.samplesOf();
        const sight = (thing: string, centre: Vec3): Sighting => {
          const { x, y } = project(centre, from);
          const inside = x >= 0 && x < 1 && y >= 0 && y < 1;
          return { x, y, visible: inside && samples[groups.get(thing)!] >= VISIBLE_SAMPLES };
        };
        return [name, { picture: { ...PICTURE_SIZE, data }, sight }];
      });
      return Object.fromEntries(shots) as Record<CameraName, Shot>;
    },
  };
}

/** A point of the world in the picture, as shares of its sides from the top left corner. */
export function project(point: Vec3, { position, rotation: r, fovyDeg }: View): { x: number; y: number } {
  const d = [0, 1, 2].map((i) => point[i] - position[i]);
  const [right, up, back] = [0, 1, 2].map((i) => r[i] * d[0] + r[3 + i] * d[1] + r[6 + i] * d[2]);
  if (back >= 0) return { x: -1, y: -1 };
  const reach = -back * tan((fovyDeg * Math.PI) / 360);
  return { x: 0.5 + (0.5 * right) / reach, y: 0.5 - (0.5 * up) / reach };
}
