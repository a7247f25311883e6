/** Disturbed episodes: they change what they say and nothing else, the same way every time. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Actor } from '../../src/policy/session.ts';
import { fold, key } from '../../src/random.ts';
import { type Observation, PANDA } from '../../src/robot/index.ts';
import { rollout } from '../../src/rollout/rollout.ts';
import {
  createExpert,
  disturbed,
  type Expert,
  initialStateKey,
  type PerturbationKind,
  playedTask,
  TabletopEnvironment,
} from '../../src/sim/index.ts';
import { loadSuite } from '../../src/sim/suites.ts';

const task = loadSuite('tabletop-object')[0];
const target = task.problem.goal[0].args[0];
const seed = 4;
const words = loadSuite('tabletop-object').flatMap(({ problem }) =>
  problem.objects.flatMap(({ category }) => category.split('_')),
);
/** A policy of this vocabulary. */
const only = (known: readonly string[]) => (category: string) =>
  category.split('_').every((word) => known.includes(word));
const knows = only(words);
const environments: TabletopEnvironment[] = [];
afterEach(() => {
  for (const environment of environments.splice(0)) environment[Symbol.dispose]();
});

async function open(played = task): Promise<TabletopEnvironment> {
  const environment = await TabletopEnvironment.open(played);
  environments.push(environment);
  return environment;
}

/** [N, 8] of an observation of the tabletop. */
const poses = ({ entities }: Observation) => entities!.poses as Float32Array;

/** The expert's next action at every step, and what it was asked. */
function watched(environment: TabletopEnvironment) {
  let expert: Expert | undefined;
  const asked: Observation[] = [];
  const actor: Actor = {
    robot: PANDA,
    chunkLength: 1,
    infer: async (input) => {
      asked.push(input);
      expert ??= createExpert(environment, fold(key(1), 'expert'));
      return { actions: Float32Array.from(expert(environment.world.observe())), latencyMs: 1 };
    },
  };
  return { actor, asked };
}

async function play(kind: PerturbationKind | undefined, episode = 0) {
  const played = playedTask(task, { perturbation: kind, seed, episode, knows })!;
  const environment = await open(played);
  const { actor, asked } = watched(environment);
  const world = kind ? disturbed(environment, kind, { episode, seed }) : environment;
  return { ...(await rollout(world, actor, { episode, seed, multistep: 1, temperature: 1 })), asked };
}

describe('moved', () => {
  test('nothing differs until the hand is near; then the object jumps 5 to 10 cm sideways, once', async () => {
    const [calm, moved] = [await play(undefined), await play('moved')];
    const at = moved.perturbedAt!;
    expect(at).toBeGreaterThan(0);
    expect(moved.asked.slice(0, at)).toEqual(calm.asked.slice(0, at));
    expect(calm.perturbedAt).toBeUndefined();
    const environment = await open();
    const place = environment.world.observe().entities.findIndex(({ name }) => name === target);
    const position = (input: Observation) => poses(input).subarray(8 * place, 8 * place + 3);
    const jump = (inputs: readonly Observation[], t: number) =>
      Math.hypot(...[0, 1, 2].map((i) => position(inputs[t])[i] - position(inputs[t - 1])[i]));
    expect(jump(moved.asked, at)).toBeGreaterThanOrEqual(0.049);
    expect(jump(moved.asked, at)).toBeLessThanOrEqual(0.101);
    expect(position(moved.asked[at])[2]).toBeCloseTo(position(calm.asked[at])[2], 3);
    // Everything else is where it was.
    const others = (input: Observation) => poses(input).filter((_, i) => Math.floor(i / 8) !== place);
    expect(others(moved.asked[at])).toEqual(others(calm.asked[at]));
    for (let t = at + 1; t < at + 4; t++) expect(jump(moved.asked, t)).toBeLessThan(0.02);
  });

  test('is the same every time, and another in another episode', async () => {
    const shiftOf = async (episode: number) => {
      const environment = await open();
      environment.reset(initialStateKey(task, episode, seed));
      const { position, quaternion } = environment.world.pose(target);
      const hand = environment.world.observe().eefPosition;
      const moving = disturbed(environment, 'moved', { episode, seed });
      const before = environment.state();
      expect(moving.disturb!()).toBe(false);
      expect(environment.state()).toEqual(before);
      environment.world.setPose(target, { position: [hand[0], hand[1], hand[2] - 0.1], quaternion });
      environment.world.physics.refresh();
      expect(moving.disturb!()).toBe(true);
      return [...environment.world.pose(target).position].map((x, i) => x - hand[i] + position[i]);
    };
    expect(await shiftOf(0)).toEqual(await shiftOf(0));
    expect(await shiftOf(1)).not.toEqual(await shiftOf(0));
  });
});

test('offset: every entity is seen 3 cm aside, the world is as it was', async () => {
  const [calm, offset] = [await play(undefined), await play('offset')];
  // The expert looks at the world itself, so it goes the same way.
  expect(offset.finalState).toBe(calm.finalState);
  expect(offset.perturbedAt).toBe(0);
  const difference = poses(offset.asked[3]).map((x, i) => x - poses(calm.asked[3])[i]);
  const [dx, dy] = [difference[0], difference[1]];
  expect(Math.hypot(dx, dy)).toBeCloseTo(0.03, 6);
  for (let i = 0; i < difference.length; i++) expect(difference[i]).toBeCloseTo([dx, dy][i % 8] ?? 0, 6);
  expect(offset.asked[3].state).toEqual(calm.asked[3].state);
});

describe('distractor', () => {
  test('one bystander is of a category that the scene does not have and the policy knows', () => {
    for (const one of loadSuite('tabletop-object')) {
      const played = playedTask(one, { perturbation: 'distractor', seed, episode: 3, knows })!;
      expect(played).toEqual(playedTask(one, { perturbation: 'distractor', seed, episode: 3, knows }));
      const changed = played.problem.objects.filter((object, i) => object !== one.problem.objects[i]);
      expect(changed).toHaveLength(1);
      const { name, category } = changed[0];
      expect([...one.problem.objectsOfInterest, ...one.problem.goal.flatMap(({ args }) => args)]).not.toContain(name);
      expect(one.problem.objects.map((object) => object.category)).not.toContain(category);
      for (const word of category.split('_')) expect(words).toContain(word);
      expect({ ...played.problem, objects: [] }).toEqual({ ...one.problem, objects: [] });
    }
  });

  test('is impossible for a policy that knows no other category', () => {
    const own = task.problem.objects.flatMap(({ category }) => category.split('_'));
    expect(playedTask(task, { perturbation: 'distractor', seed, episode: 0, knows: only(own) })).toBeUndefined();
  });
});
