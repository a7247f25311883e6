/** The closed loop, with actors whose behaviour is known. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { choose } from '../../src/policy/choose.ts';
import type { Actor } from '../../src/policy/session.ts';
import { fold, key, rng } from '../../src/random.ts';
import { ENTITY_SIZE, type Observation, PANDA, stateSize } from '../../src/robot/index.ts';
import { rollout } from '../../src/rollout/rollout.ts';
import { createExpert, type Expert, TabletopEnvironment } from '../../src/sim/index.ts';
import { loadSuite } from '../../src/sim/suites.ts';

let environment: TabletopEnvironment;
beforeAll(async () => {
  environment = await TabletopEnvironment.open(loadSuite('tabletop-object')[0]);
});
afterAll(() => environment[Symbol.dispose]());

const options = { episode: 0, seed: 4, multistep: 1, temperature: 1 };

/** Answers every question with the expert's next action. */
function expertActor(): Actor {
  let expert: Expert | undefined;
  return {
    robot: PANDA,
    chunkLength: 1,
    infer: async () => {
      expert ??= createExpert(environment, fold(key(1), 'expert'));
      return { actions: Float32Array.from(expert(environment.world.observe())), latencyMs: 2 };
    },
  };
}

/** Rests, and remembers what it was asked. */
function restingActor(chunkLength: number) {
  const asked: { input: Observation; key: readonly number[]; temperature?: number }[] = [];
  const actor: Actor = {
    robot: PANDA,
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
    expect(input.entities!.poses).toHaveLength(ENTITY_SIZE * input.entities!.categories.length);
    expect(input.state).toHaveLength(stateSize(PANDA));
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
  const answer = (actions: Float32Array): Actor => ({
    ...{ robot: PANDA, chunkLength: 2 },
    infer: async () => ({ actions, latencyMs: 0 }),
  });
  const bad = new Float32Array(14);
  bad[9] = Number.NaN;
  await expect(rollout(environment, answer(bad), options)).rejects.toThrow(
    /^The policy's answer at step 0: step 1, dimension 2 \(position z\) is NaN, outside \[-1, 1\]\.$/,
  );
  await expect(rollout(environment, answer(bad.fill(2)), options)).rejects.toThrow(
    /step 0, dimension 0 \(position x\) is 2, outside/,
  );
  await expect(rollout(environment, answer(new Float32Array(7)), options)).rejects.toThrow(/7 numbers; wanted 2 x 7/);
});

describe('what a chunk is chosen and judged by', () => {
  /** Two plans, equally likely: left all the way, or right. Chooses among 8 samples as policies do. */
  const undecided: Actor = {
    robot: PANDA,
    chunkLength: 4,
    infer: async (_, { key, continuing }) => {
      const random = rng(key);
      const samples = Array.from({ length: 8 }, (_, k) => (k < 4 ? 0.2 : -0.2));
      const logProb = Float32Array.from(samples, () => random.uniform());
      const actions = Float32Array.from(samples.flatMap((y) => Array(4).fill([0, y, 0, 0, 0, 0, -1]).flat()));
      const k = choose({ actions, logProb }, continuing);
      return { actions: actions.slice(28 * k, 28 * (k + 1)), latencyMs: 1 };
    },
  };

  test('consistency keeps an undecided policy to its plan', async () => {
    const jumps = async (consistent: boolean) => {
      const { smoothness } = await rollout(environment, undecided, { ...options, multistep: 2, consistent });
      return smoothness!.seam_jump_m.reduce((a, b) => a + b, 0);
    };
    expect(await jumps(false)).toBeGreaterThan(0.1);
    expect(await jumps(true)).toBe(0);
  });

  test('an actor is asked to continue what has not been executed', async () => {
    const asked: (Float32Array | undefined)[] = [];
    const counting: Actor = {
      robot: PANDA,
      chunkLength: 4,
      infer: async (_, { continuing }) => {
        asked.push(continuing);
        return { actions: Float32Array.from({ length: 28 }, (_, i) => Math.floor(i / 7) / 10), latencyMs: 1 };
      },
    };
    await rollout(environment, counting, { ...options, multistep: 3, consistent: true });
    expect(asked[0]).toBeUndefined();
    expect(asked[1]).toEqual(new Float32Array(7).fill(0.3));
    asked.length = 0;
    await rollout(environment, counting, { ...options, multistep: 3 });
    expect(asked.every((continuing) => continuing === undefined)).toBe(true);
  });

  test('surprise is asked of what was seen half a chunk ago, of what was done since and is planned now', async () => {
    const inputs: Observation[] = [];
    const judged: { input: Observation; chunk: Float32Array }[] = [];
    const numbering: Actor = {
      robot: PANDA,
      chunkLength: 4,
      infer: async (input) => {
        inputs.push(input);
        // Numbered by question, then by row.
        const row = (i: number) => inputs.length / 1000 + Math.floor(i / 7) / 100_000;
        return { actions: Float32Array.from({ length: 28 }, (_, i) => row(i)), latencyMs: 1, logProb: inputs.length };
      },
      surprise: async (input, chunk) => {
        judged.push({ input, chunk });
        return judged.length;
      },
    };
    const result = await rollout(environment, numbering, { ...options, multistep: 2 });
    expect(result.surprise!.slice(0, 3)).toEqual([null, 1, 2]);
    expect(result.surprise).toHaveLength(inputs.length);
    expect(result.logProb!.slice(0, 3)).toEqual([1, 2, 3]);
    expect(judged[0].input).toEqual(inputs[0]);
    const rows = (chunk: Float32Array) => [0, 7, 14, 21].map((i) => Number(chunk[i].toFixed(5)));
    expect(rows(judged[0].chunk)).toEqual([0.001, 0.00101, 0.002, 0.00201]);
    expect(rows(judged[1].chunk)).toEqual([0.002, 0.00201, 0.003, 0.00301]);
    // With all of a chunk executed, half of it is what has been done.
    inputs.length = judged.length = 0;
    await rollout(environment, numbering, { ...options, multistep: 4 });
    expect(rows(judged[0].chunk)).toEqual([0.00102, 0.00103, 0.002, 0.00201]);
    expect(judged[0].input).not.toEqual(inputs[0]);
    expect(judged[0].input).not.toEqual(inputs[1]);
  });
});
