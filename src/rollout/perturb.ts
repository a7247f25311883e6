/** Plays the perturbations that `perturbations.ts` names: what of the task, the world and the view they change. */
import { cos, hypot, sin } from '../math.ts';
import { fold, type Key, key, type Rng, rng } from '../random.ts';
import { type Environment, OBJECTS, type Observation, type Task, type Vec3 } from '../sim/index.ts';
import type { PerturbationKind } from './perturbations.ts';

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

export interface Perturbation {
  readonly kind: PerturbationKind;
  /** Called before each decision: may change the world. @returns the observation thereafter */
  disturb(environment: Environment, observation: Observation): Observation;
  /** What the policy sees of an observation. */
  see(observation: Observation): Observation;
  /** Whether it has set in. */
  readonly begun: boolean;
}

/** Where an episode's perturbation draws from. */
const perturbationKey = (kind: PerturbationKind, { suite, name }: Task, episode: number, seed: number): Key =>
  fold(key(seed), 'perturbation', kind, suite, name, episode);

/** The perturbation of one episode of a task that `playedTask` allows. */
export function createPerturbation(kind: PerturbationKind, task: Task, episode: number, seed: number): Perturbation {
  const k = perturbationKey(kind, task, episode, seed);
  const unchanged = { disturb: (_: Environment, observation: Observation) => observation, see: (o: Observation) => o };
  if (kind === 'distractor') return { ...unchanged, kind, begun: true };
  if (kind === 'offset') {
    const shift = sideways(rng(k), OFFSET_M);
    return { ...unchanged, kind, begun: true, see: (observation) => shifted(observation, shift) };
  }
  const name = movable(task)!;
  const random = rng(k);
  let begun = false;
  return {
    ...unchanged,
    kind,
    get begun() {
      return begun;
    },
    disturb(environment, observation) {
      if (begun) return observation;
      const { position } = environment.world.pose(name);
      if (hypot(...minus(observation.eefPosition, position)) > ABOUT_TO_GRASP_M) return observation;
      begun = move(environment, name, random);
      return begun ? environment.observe() : observation;
    },
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

/** Whether a free place was found; if not, nothing has changed. */
function move(environment: Environment, name: string, random: Rng): boolean {
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

function shifted(observation: Observation, by: Vec3): Observation {
  const entities = observation.entities.map((entity) => ({ ...entity, position: plus(entity.position, by) }));
  return { ...observation, entities };
}

function sideways(random: Rng, lengthM: number): Vec3 {
  const angle = random.uniform(0, 2 * Math.PI);
  return [lengthM * cos(angle), lengthM * sin(angle), 0];
}

const plus = (a: Vec3, b: Vec3): Vec3 => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
const minus = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
