/** The closed loop, with actors whose behaviour is known. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Actor, type PolicyInput, rollout } from '../../src/eval/rollout.ts';
import { fold, key } from '../../src/random.ts';
import { createExpert, Environment, type Expert, loadSuite } from '../../src/sim/index.ts';

let environment: Environment;
beforeAll(async () => {
  environment = await Environment.open(loadSuite('tabletop-object')[0]!);
});
afterAll(() => environment[Symbol.dispose]());

const options = { episode: 0, seed: 4, multistep: 1, temperature: 1 };

/** Answers every question with the expert's next action. */
function expertActor(): Actor {
  let expert: Expert | undefined;
  return {
    chunkLength: 1,
    infer: async () => {
      expert ??= createExpert(environment, fold(key(1), 'expert'));
      return { actions: Float32Array.from(expert(environment.observe())), latencyMs: 2 };
    },
  };
}

/** Rests, and remembers what it was asked. */
function restingActor(chunkLength: number) {
  const asked: { input: PolicyInput; key: readonly number[]; temperature: number }[] = [];
  const actor: Actor = {
    chunkLength,
    infer: async (input, { key, temperature }) => {
      asked.push({ input, key, temperature });
      return { actions: new Float32Array(7 * chunkLength), latencyMs: 1 };
    },
  };
  return { actor, asked };
}

test('the expert as a policy reaches the goal and stops there', async () => {
  let pictures = 0;
  const result = await rollout(environment, expertActor(), { ...options, onStep: () => pictures++ });
  expect(result.success).toBe(true);
  expect(result.steps).toBeLessThan(environment.task.maxSteps);
  expect(result.latencyMs).toEqual(Array(result.steps).fill(2));
  expect(pictures).toBe(result.steps + 1);
  expect(environment.succeeded()).toBe(true);
});

test('a chunk is asked for every multistep steps, with fresh noise, until the step limit', async () => {
  const { actor, asked } = restingActor(10);
  const result = await rollout(environment, actor, { ...options, multistep: 8, temperature: 0.5 });
  expect(result).toMatchObject({ success: false, steps: 280 });
  expect(asked).toHaveLength(35);
  expect(new Set(asked.map(({ key }) => String(key))).size).toBe(35);
  for (const { input, temperature } of asked) {
    expect(temperature).toBe(0.5);
    expect(input.instruction).toBe(environment.task.instruction);
    expect(input.entities).toHaveLength(8 * input.categories.length);
    expect(input.proprio).toHaveLength(11);
  }
});

test('an episode follows from seed and number alone', async () => {
  const run = async (episode: number, seed: number) => {
    const { actor, asked } = restingActor(70);
    const { finalState } = await rollout(environment, actor, { ...options, episode, seed, multistep: 70 });
    return { finalState, noise: JSON.stringify(asked.map(({ key }) => key)) };
  };
  const first = await run(0, 4);
  for (const other of [await run(1, 4), await run(0, 5)]) {
    expect(other.finalState).not.toBe(first.finalState);
    expect(other.noise).not.toBe(first.noise);
  }
  expect(await run(0, 4)).toEqual(first);
});

test('an answer that is no chunk of actions is an error, not a failed episode', async () => {
  const answer = (actions: Float32Array): Actor => ({ chunkLength: 2, infer: async () => ({ actions, latencyMs: 0 }) });
  const bad = new Float32Array(14);
  bad[9] = Number.NaN;
  await expect(rollout(environment, answer(bad), options)).rejects.toThrow(/is NaN at row 1, dimension 2/);
  await expect(rollout(environment, answer(bad.fill(2)), options)).rejects.toThrow(/is 2 at row 0, dimension 0/);
  await expect(rollout(environment, answer(new Float32Array(7)), options)).rejects.toThrow(/7 numbers; wanted 2 x 7/);
});
