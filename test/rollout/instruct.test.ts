/** Asking for something else in the same scene: what counts is what was asked, and the scene stays the task's. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fold, key } from '../../src/random.ts';
import {
  asking,
  createExpert,
  type Environment,
  initialStateKey,
  requestOf,
  TabletopEnvironment,
  type Task,
} from '../../src/sim/index.ts';
import { loadSuite } from '../../src/sim/suites.ts';

const suite = loadSuite('tabletop-object');
const [task] = suite;
const anything = () => true;
const other = (episode: number, one: Task = task, tasks = suite) =>
  requestOf(one, tasks, { instruct: 'other', episode, knows: anything });

let environment: TabletopEnvironment;
beforeAll(async () => {
  environment = await TabletopEnvironment.open(task);
});
afterAll(() => environment[Symbol.dispose]());

/** The expert does another task's goal in this world. @returns whether the environment said that it succeeded */
function play(world: Environment, doing: Task): boolean {
  const expert = createExpert({ world: environment.world, task: doing }, fold(key(3), doing.name));
  for (let step = 0; step < doing.maxSteps; step++)
    if (world.step(expert(environment.world.observe())).success) return true;
  return false;
}

describe('other', () => {
  test('each thing that the scene has beside the target is asked for in turn', () => {
    for (const one of suite) {
      const [target] = one.problem.goal[0].args;
      const requests = [0, 1, 2, 3].map((episode) => other(episode, one)!);
      const asked = requests.map(({ goal }) => goal[0].args[0]).sort();
      const bystanders = one.problem.objects.map(({ name }) => name).filter((name) => name !== target);
      expect(asked).toEqual(bystanders.sort());
      for (const { instruction, goal, forbidden } of requests) {
        const [object] = goal[0].args;
        expect(instruction).toBe(
          `pick up the ${object.replace(/_1$/, '').replaceAll('_', ' ')} and place it in the basket`,
        );
        expect(forbidden).toEqual(one.problem.goal);
      }
      expect(other(4, one)).toEqual(other(0, one));
    }
  });

  test('nothing else is asked where no other task has the scene, nor what the policy does not understand', () => {
    const spatial = loadSuite('tabletop-spatial');
    const asked = spatial.flatMap((one) => {
      const request = other(0, one, spatial);
      return request
        ? [[one.instruction, request.instruction].map((text) => / black bowl (.*) and /.exec(text)![1])]
        : [];
    });
    expect(asked).toEqual([
      ['next to the plate', 'on the cookie box'],
      ['on the cookie box', 'next to the plate'],
    ]);
    expect(requestOf(task, suite, { instruct: 'other', episode: 0, knows: () => false })).toBeUndefined();
    const onlyMilk = { instruct: 'other', knows: (text: string) => text.includes('milk') } as const;
    for (const episode of [0, 1, 2])
      expect(requestOf(task, suite, { ...onlyMilk, episode })!.instruction).toContain('milk');
  });

  test("what would reach the task's own goal on its way is not asked", () => {
    const goals = loadSuite('tabletop-goal');
    const opening = goals.find(({ name }) => name === 'open_the_top_drawer_of_the_cabinet')!;
    const asked = goals.map((_, episode) => other(episode, opening, goals)!.instruction);
    const inside = 'open the top drawer and put the bowl inside';
    for (const none of [opening.instruction, inside]) expect(asked).not.toContain(none);
    expect(new Set(asked).size).toBe(goals.length - 2);
    const putting = goals.find(({ instruction }) => instruction === inside)!;
    expect(goals.map((_, episode) => other(episode, putting, goals)!.instruction)).toContain(opening.instruction);
  });

  test('doing what was asked succeeds; doing what the task says, or both, does not', () => {
    const request = other(1)!;
    const doing = suite.find(({ instruction }) => instruction === request.instruction)!;
    const world = asking(environment, request);
    const placement = initialStateKey(task, 0, 7);
    const seen = world.reset(placement);
    expect(seen.instruction).toBe(request.instruction);
    expect({ ...seen, instruction: task.instruction }).toEqual(environment.reset(placement));
    expect(play(world, task)).toBe(false);
    expect(environment.succeeded()).toBe(true);
    world.reset(placement);
    expect(play(world, doing)).toBe(true);
    // Both in the basket: what was asked is reached, and so is what was not.
    const [target] = task.problem.goal[0].args;
    const { position, quaternion } = environment.world.pose('basket_1');
    environment.world.setPose(target, { position: [position[0] - 0.055, position[1] - 0.055, 0.038], quaternion });
    environment.world.physics.refresh();
    const rest = [0, 0, 0, 0, 0, 0, -1];
    expect(asking(environment, { ...request, forbidden: [] }).step(rest).success).toBe(true);
    expect(environment.succeeded()).toBe(true);
    expect(world.step(rest).success).toBe(false);
  });
});

test('paraphrase: the same goal in sentences that are held out, in turn', () => {
  const sentences = [0, 1, 2, 3].map((episode) => {
    const { instruction, goal, forbidden } = requestOf(task, suite, {
      instruct: 'paraphrase',
      episode,
      knows: anything,
    })!;
    expect(goal).toEqual(task.problem.goal);
    expect(forbidden).toEqual([]);
    return instruction;
  });
  expect(sentences).toEqual([
    'fetch the alphabet soup and leave it in the basket',
    'could you grab the alphabet soup and move it in the basket for me',
    'your next job is to take hold of the alphabet soup and lower it in the basket',
    'the alphabet soup belongs in the basket',
  ]);
  const world = asking(environment, requestOf(task, suite, { instruct: 'paraphrase', episode: 3, knows: anything })!);
  expect(world.reset(initialStateKey(task, 0, 7)).instruction).toBe(sentences[3]);
  expect(play(world, task)).toBe(true);
});
