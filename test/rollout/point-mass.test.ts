/** The closed loop knows no simulator: a point on a plane, pushed by velocities, is an environment like any other. */
import { expect, test } from 'vitest';
import type { Actor } from '../../src/policy/session.ts';
import { type Key, rng } from '../../src/random.ts';
import { checkActions, type Observation, type Robot } from '../../src/robot/index.ts';
import { rollout } from '../../src/rollout/rollout.ts';
import type { Environment } from '../../src/sim/contract.ts';

const axis = (name: string) => ({
  ...{ name, unit: 'm/s', scale: 1, frame: 'plane', positive: `along +${name}`, low: -0.5, high: 0.5 },
  rest: 'zero' as const,
});
const POINT: Robot = {
  name: 'point',
  action: { controlHz: 10, dimensions: [axis('x'), axis('y')] },
  state: { names: ['x', 'y'] },
};
const NEAR_M = 0.05;

/** To reach the origin from somewhere within 2 m; `gust` pushes the point once, at the decision of that number. */
class Plane implements Environment {
  readonly robot = POINT;
  readonly task = { suite: 'plane', name: 'origin', maxSteps: 100 };
  #at = new Float64Array(2);
  #decisions = 0;
  readonly #gust: number | undefined;
  constructor(gust?: number) {
    this.#gust = gust;
  }
  reset(initial: Key): Observation {
    const random = rng(initial);
    this.#at = Float64Array.from([0, 0], () => random.uniform(-2, 2));
    this.#decisions = 0;
    return this.observe();
  }
  step(action: ArrayLike<number>) {
    checkActions(POINT.action, action, 'The action');
    this.#at = this.#at.map((x, i) => x + action[i] / POINT.action.controlHz);
    return { observation: this.observe(), success: Math.hypot(...this.#at) < NEAR_M };
  }
  observe(): Observation {
    return { state: this.#at.slice(), instruction: 'go to the origin' };
  }
  state(): Float64Array {
    return this.#at.slice();
  }
  disturb(): boolean {
    if (this.#gust === undefined) return false;
    if (this.#decisions++ === this.#gust) this.#at = this.#at.map((x) => x + 0.3);
    return this.#decisions > this.#gust;
  }
  [Symbol.dispose](): void {}
}

/** Plans four steps straight to the origin. */
const homing: Actor = {
  ...{ robot: POINT, chunkLength: 4, multistep: 2 },
  async infer({ state, instruction }) {
    expect(instruction).toBe('go to the origin');
    let [x, y] = Array.from(state!);
    const actions = Array.from({ length: 4 }, () => {
      const [vx, vy] = [x, y].map((p) => Math.max(-0.5, Math.min(0.5, -10 * p)));
      x += vx / 10;
      y += vy / 10;
      return [vx, vy];
    });
    return { actions: Float32Array.from(actions.flat()), latencyMs: 1 };
  },
};

test('a policy reaches the origin, the same way every time, with the chunks it was made for', async () => {
  using plane = new Plane();
  const run = (episode: number) => rollout(plane, homing, { episode, seed: 1 });
  const first = await run(0);
  expect(first.success).toBe(true);
  expect(first.latencyMs).toHaveLength(Math.ceil(first.steps / 2));
  expect(first.perturbedAt).toBeUndefined();
  // Its state has no end effector.
  expect(first.smoothness).toBeUndefined();
  expect(await run(0)).toEqual(first);
  expect((await run(1)).finalState).not.toBe(first.finalState);
});

test('a disturbance is asked for before each decision, and what follows is seen', async () => {
  using calm = new Plane();
  using windy = new Plane(2);
  const [undisturbed, disturbed] = [
    await rollout(calm, homing, { episode: 3, seed: 1 }),
    await rollout(windy, homing, { episode: 3, seed: 1 }),
  ];
  expect(disturbed.perturbedAt).toBe(2);
  expect(disturbed.success).toBe(true);
  expect(disturbed.steps).not.toBe(undisturbed.steps);
});

test("what the robot cannot do is the policy's fault, and said", async () => {
  using plane = new Plane();
  const wild: Actor = { ...homing, infer: async () => ({ actions: new Float32Array(8).fill(0.7), latencyMs: 1 }) };
  await expect(rollout(plane, wild, { episode: 0, seed: 1 })).rejects.toThrow(
    "The policy's answer at step 0: step 0, dimension 0 (x) is 0.699999988079071, outside [-0.5, 0.5].",
  );
});
