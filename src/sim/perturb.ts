/** Plays the perturbations that `perturbations.ts` names: what of the task, the world and the view they change. */
import { cos, hypot, sin } from '../math.ts';
import { fold, type Key, key, type Rng, rng } from '../random.ts';
import type { Environment } from './contract.ts';
import type { TabletopEnvironment } from './environment.ts';
import { OBJECTS } from './objects.ts';
import type { PerturbationKind } from './perturbations.ts';
import type { Task } from './task.ts';
import type { Vec3, WorldObservation } from './types.ts';
import { view } from './view.ts';

/** The hand is about to grasp when its pads are this near to the object's centre: one chunk of motion. */
const ABOUT_TO_GRASP_M = 0.15;
const MOVE_M = [0.05, 0.1] as const;
const OFFSET_M = 0.03;
/** Directions tried for a free place. */
const ATTEMPTS = 50;
/** Objects may be moved to where they keep this distance from other things' origins. */
const CLEARANCE_M = 0.08;
/** Half sides of the part of the table that the arm reaches everywhere. */
const REACH_M = [0.25, 0.3] as const;

/** Where an episode's perturbation draws from. */
const perturbationKey = (kind: PerturbationKind, { suite, name }: Task, episode: number, seed: number): Key =>
  fold(key(seed), 'perturbation', kind, suite, name, episode);

/**
 * The environment as one episode of it is disturbed; its task is one that `playedTask` allows. Whoever opened the environment
 * disposes of it.
 */
export function disturbed(
  environment: TabletopEnvironment,
  kind: PerturbationKind,
  { episode, seed }: { episode: number; seed: number },
): Environment {
  const { robot, task } = environment;
  const source = perturbationKey(kind, task, episode, seed);
  const shift = kind === 'offset' ? sideways(rng(source), OFFSET_M) : undefined;
  const observe = () => {
    if (!shift) return environment.observe();
    // What a camera sees moves one way when the camera moves the other.
    const images = environment.images(environment.views, minus([0, 0, 0], shift));
    return view(shifted(environment.world.observe(), shift), task.instruction, images);
  };
  const target = kind === 'moved' ? movable(task) : undefined;
  let random = rng(source);
  let begun = target === undefined;
  return {
    robot,
    task,
    observe,
    reset(initial) {
      random = rng(source);
      begun = target === undefined;
      environment.reset(initial);
      return observe();
    },
    step(action) {
      const { success } = environment.step(action);
      return { observation: observe(), success };
    },
    state: () => environment.state(),
    disturb() {
      begun ||= isNear(environment, target!) && move(environment, target!, random);
      return begun;
    },
    [Symbol.dispose]() {},
  };
}

interface Played {
  perturbation?: PerturbationKind;
  seed: number;
  episode: number;
  /** Whether the policy understands every word of a category. */
  knows: (category: string) => boolean;
}

/**
 * The task as it is played in an episode; undefined where its perturbation makes no sense: no object to move, no
 * bystander, or no other category that the policy knows (all of which do not depend on the episode).
 */
export function playedTask(task: Task, { perturbation, seed, episode, knows }: Played): Task | undefined {
  if (perturbation === 'moved') return movable(task) === undefined ? undefined : task;
  if (perturbation !== 'distractor') return task;
  const { problem } = task;
  const needed = new Set([...problem.goal.flatMap(({ args }) => args), ...problem.objectsOfInterest]);
  const supports = new Set(problem.init.map(({ args }) => args[1]));
  const bystanders = problem.objects.filter(({ name }) => !needed.has(name) && !supports.has(name));
  const present = new Set(problem.objects.map(({ category }) => category));
  const strangers = Object.keys(OBJECTS).filter((category) => !present.has(category) && knows(category));
  if (bystanders.length === 0 || strangers.length === 0) return undefined;
  const random = rng(perturbationKey(perturbation, task, episode, seed));
  const [out, category] = [random.pick(bystanders), random.pick(strangers)];
  const objects = problem.objects.map((object) => (object === out ? { ...object, category } : object));
  return { ...task, problem: { ...problem, objects } };
}

/** Tasks of one name have one scene. */
export const sceneName = ({ suite, name, problem }: Task): string =>
  JSON.stringify([suite, name, problem.objects.map(({ category }) => category)]);

/** The first object of the goal that can be moved. */
function movable({ problem }: Task): string | undefined {
  return problem.goal.map(({ args }) => args[0]).find((name) => problem.objects.some((object) => object.name === name));
}

/** Whether the hand is about to grasp the object. */
function isNear({ world }: TabletopEnvironment, name: string): boolean {
  return hypot(...minus(world.observe().eefPosition, world.pose(name).position)) <= ABOUT_TO_GRASP_M;
}

/** Whether a free place was found; if not, nothing has changed. */
function move(environment: TabletopEnvironment, name: string, random: Rng): boolean {
  const { world } = environment;
  const { position, quaternion } = world.pose(name);
  const others = [...world.scene.objects, ...world.scene.fixtures].filter((thing) => thing.name !== name);
  const free = ([x, y]: Vec3) =>
    Math.abs(x) <= REACH_M[0] &&
    Math.abs(y) <= REACH_M[1] &&
    others.every((other) => {
      const [ox, oy] = world.pose(other.name).position;
      return hypot(x - ox, y - oy) >= CLEARANCE_M;
    });
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const target = plus(position, sideways(random, random.uniform(...MOVE_M)));
    if (!free(target)) continue;
    world.setPose(name, { position: target, quaternion });
    world.physics.refresh();
    return true;
  }
  return false;
}

function shifted(observation: WorldObservation, by: Vec3): WorldObservation {
  const entities = observation.entities.map((entity) => ({ ...entity, position: plus(entity.position, by) }));
  return { ...observation, entities };
}

function sideways(random: Rng, lengthM: number): Vec3 {
  const angle = random.uniform(0, 2 * Math.PI);
  return [lengthM * cos(angle), lengthM * sin(angle), 0];
}

const plus = (a: Vec3, b: Vec3): Vec3 => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
const minus = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
