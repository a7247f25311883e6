/**
 * A world without physics for tests of training: a hand that carries things between places, its demonstrations in the
 * layout that `nina demos` writes. Two instructions share one scene, so a policy must read to act.
 */
import * as path from 'node:path';
import { DemonstrationWriter } from '../../src/data/index.ts';
import { fold, key, rng } from '../../src/random.ts';

type Vec = [number, number, number];

export const CATEGORIES = ['can', 'bowl', 'basket'];
export const instructionFor = (target: number) => `pick up the ${CATEGORIES[target]} and place it in the basket`;
const BASKET = 2;
const SPEED_M = 0.05;
const GRASP_M = 0.01;

export interface World {
  hand: Vec;
  fingers: number;
  things: Vec[];
  held: boolean;
}

export function createWorld(seed: number, episode: number): World {
  const r = rng(fold(key(seed), 'world', episode));
  const place = (): Vec => [r.uniform(-0.2, 0.2), r.uniform(-0.3, 0.3), 0.02];
  return {
    hand: [r.uniform(-0.1, 0.1), r.uniform(-0.1, 0.1), 0.25],
    fingers: 0.04,
    things: [place(), place(), place()],
    held: false,
  };
}

/** Straight to the target, close, straight to the basket, open. */
export function expertAction(world: World, target: number): Float64Array {
  const goal = world.things[world.held ? BASKET : target];
  const near = Math.hypot(...goal.map((x, i) => x - world.hand[i])) < GRASP_M;
  const move = goal.map((x, i) => Math.max(-1, Math.min(1, (x - world.hand[i]) / SPEED_M)));
  const close = world.held ? !near : near;
  return Float64Array.of(...(near ? [0, 0, 0] : move), 0, 0, 0, close ? 1 : -1);
}

/** Moves the world; true when the target is released in the basket. */
export function stepWorld(world: World, target: number, action: ArrayLike<number>): boolean {
  world.hand = world.hand.map((x, i) => x + SPEED_M * action[i]) as Vec;
  const closed = action[6] > 0;
  world.fingers = closed ? 0.01 : 0.04;
  const distance = (thing: Vec) => Math.hypot(...thing.map((x, i) => x - world.hand[i]));
  if (closed && !world.held && distance(world.things[target]) < GRASP_M) world.held = true;
  if (!closed && world.held) {
    world.held = false;
    if (distance(world.things[BASKET]) < 2 * GRASP_M) return true;
  }
  if (world.held) world.things[target] = [...world.hand];
  return false;
}

export const entitiesOf = ({ things }: World): Float32Array =>
  Float32Array.from(things.flatMap((position) => [...position, 1, 0, 0, 0, 0]));

/** Writes `episodes` demonstrations of each of the two tasks to `directory`. */
export async function writeDemonstrations(directory: string, episodes: number, seed = 1): Promise<void> {
  for (const target of [0, 1]) {
    using writer = await DemonstrationWriter.open(path.join(directory, `pick_${CATEGORIES[target]}.hdf5`), {
      suite: 'test',
      task: `pick_${CATEGORIES[target]}`,
      instruction: instructionFor(target),
      bddl: '(define (problem x) (:domain robosuite))',
      entityNames: CATEGORIES.map((name) => `${name}_1`),
      entityCategories: CATEGORIES,
      environment: { control_freq: 20 },
    });
    for (let episode = 0; episode < episodes; episode++) {
      const world = createWorld(seed + target, episode);
      const actions: number[] = [];
      const eef: number[] = [];
      const gripper: number[] = [];
      const entities: number[] = [];
      for (let step = 0, done = false; !done && step < 100; step++) {
        eef.push(...world.hand);
        gripper.push(world.fingers, -world.fingers);
        entities.push(...entitiesOf(world));
        const action = expertAction(world, target);
        actions.push(...action);
        done = stepWorld(world, target, action);
      }
      const steps = actions.length / 7;
      writer.append({
        attempt: episode,
        modelXml: '<mujoco/>',
        actions: Float64Array.from(actions),
        states: new Float64Array(steps),
        jointPositions: new Float64Array(7 * steps),
        gripper: Float64Array.from(gripper),
        eefPosition: Float64Array.from(eef),
        eefQuaternion: Float64Array.from({ length: 4 * steps }, (_, i) => (i % 4 === 0 ? 1 : 0)),
        entities: Float32Array.from(entities),
      });
    }
    writer.commit({ episodes, seed });
  }
}
