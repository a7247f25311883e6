import { describe, expect, it } from 'vitest';
import { fold } from '../../random.ts';
import { TabletopEnvironment } from '../environment.ts';
import { loadSuite } from '../suites.ts';
import { demoKey, type Task } from '../task.ts';
import { createExpert } from './index.ts';
import { fingerYaw } from './waypoint.ts';

const SEED = 4242;

interface Episode {
  success: boolean;
  actions: Float64Array[];
  /** The fingers' direction when they first close, rad. */
  graspYaw: number;
}

function play(environment: TabletopEnvironment, task: Task, episode: number): Episode {
  const key = demoKey(task, episode, SEED);
  environment.reset(key);
  const expert = createExpert(environment, fold(key, 'expert'));
  const actions: Float64Array[] = [];
  let success = false;
  let graspYaw = Number.NaN;
  while (!success && actions.length < task.maxSteps) {
    const observation = environment.world.observe();
    const action = expert(observation);
    if (Number.isNaN(graspYaw) && action[6] > 0) graspYaw = fingerYaw(observation.eefQuaternion);
    actions.push(action);
    ({ success } = environment.step(action));
  }
  return { success, actions, graspYaw };
}

/** A few tasks of each suite: every kind of skill once. */
const SAMPLES: [suite: string, word: string][] = [
  ['tabletop-spatial', 'in_the_top_drawer'],
  ['tabletop-spatial', 'next_to_the_ramekin'],
  ['tabletop-object', 'butter'],
  ['tabletop-goal', 'open_the_bottom_drawer'],
  ['tabletop-goal', 'turn_on_the_stove'],
  ['tabletop-goal', 'put_the_cream_cheese_in_the_bowl'],
  ['tabletop-10', 'top_drawer_of_the_cabinet_and_close_it'],
  ['tabletop-10', 'turn_off_the_stove_and_put'],
  ['tabletop-10', 'alphabet_soup_and_the_tomato_sauce'],
  ['tabletop-90', 'kitchen_2_close_the_bottom_drawer'],
  ['tabletop-90', 'study_1_put_the_black_book_on_the_rack'],
];

describe('the expert', () => {
  it.each(SAMPLES)('solves %s: %s', async (suite, word) => {
    const task = loadSuite(suite).find(({ name }) => name.includes(word))!;
    using environment = await TabletopEnvironment.open(task);
    expect(play(environment, task, 0).success).toBe(true);
  });

  it('is the same under the same key, and has several ways under others', async () => {
    const task = loadSuite('tabletop-object').find(({ name }) => name.includes('alphabet_soup'))!;
    using environment = await TabletopEnvironment.open(task);
    const episodes = [0, 1, 2, 3, 4, 5].map((episode) => play(environment, task, episode));
    expect(play(environment, task, 2)).toEqual(episodes[2]);
    const yaws = episodes.map(({ graspYaw }) => graspYaw);
    expect(Math.max(...yaws) - Math.min(...yaws)).toBeGreaterThan(0.3);
    expect(new Set(episodes.map(({ actions }) => actions.length)).size).toBeGreaterThan(1);
  });

  it('acts within [-1, 1], smoothly, and seldom pauses', async () => {
    const [task] = loadSuite('tabletop-object') as [Task];
    using environment = await TabletopEnvironment.open(task);
    const { actions } = play(environment, task, 1);
    expect(actions.every((action) => action.length === 7 && action.every((v) => Math.abs(v) <= 1))).toBe(true);
    const still = actions.filter((action) => action.slice(0, 6).every((v) => v === 0)).length;
    expect(still / actions.length).toBeLessThan(0.2);
  });
});
