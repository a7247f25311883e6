/** Pictures: a policy sees in a rollout what demonstrations recorded, at the moment it was asked. */
import { afterEach, expect, test } from 'vitest';
import type { Actor } from '../../src/policy/session.ts';
import { key } from '../../src/random.ts';
import { recordAttempt } from '../../src/record/record.ts';
import { type Observation, PANDA } from '../../src/robot/index.ts';
import { rollout } from '../../src/rollout/rollout.ts';
import { CAMERAS, demoKey, disturbed, initialStateKey, TabletopEnvironment } from '../../src/sim/index.ts';
import { loadSuite } from '../../src/sim/suites.ts';

const [task] = loadSuite('tabletop-object');
const PIXELS = 3 * 128 * 128;
const environments: TabletopEnvironment[] = [];
afterEach(() => {
  for (const environment of environments.splice(0)) environment[Symbol.dispose]();
});

async function open(views?: readonly string[], played = task): Promise<TabletopEnvironment> {
  const environment = await TabletopEnvironment.open(played, { views });
  environments.push(environment);
  return environment;
}

test('a recording holds what a rollout sees, to the bit', async () => {
  const short = { ...task, maxSteps: 12 };
  const { demonstration } = recordAttempt(await open([], short), 0, 3, true);
  const { images, actions } = demonstration;
  const environment = await open(CAMERAS);
  let seen = environment.reset(demoKey(task, 0, 3));
  for (let t = 0; t < short.maxSteps; t++) {
    const at = (all: Uint8Array) => Buffer.from(all.subarray(t * PIXELS, (t + 1) * PIXELS));
    expect(at(images!.agentview).equals(seen.images!.agentview.data)).toBe(true);
    expect(at(images!.eyeInHand).equals(seen.images!.eye_in_hand.data)).toBe(true);
    seen = environment.step(actions.subarray(7 * t, 7 * t + 7)).observation;
  }
  expect(images).toMatchObject({ width: 128, height: 128 });
  expect(Buffer.from(images!.agentview.subarray(0, PIXELS)).equals(seen.images!.agentview.data)).toBe(false);
});

test('a picture is of the moment it was taken in, however late it is looked at', async () => {
  const environment = await open(['eye_in_hand']);
  const [placement, up] = [demoKey(task, 0, 0), [0, 0, 1, 0, 0, 0, -1]];
  const early = environment.reset(placement);
  const expected = Buffer.from(early.images!.eye_in_hand.data);
  const late = environment.reset(placement);
  for (let i = 0; i < 5; i++) environment.step(up);
  expect(expected.equals(late.images!.eye_in_hand.data)).toBe(true);
  expect(expected.equals(environment.observe().images!.eye_in_hand.data)).toBe(false);
  expect(late.images!.eye_in_hand.data).toBe(late.images!.eye_in_hand.data);
});

test('observations hold the views that were asked for, and no others', async () => {
  const wrist = await open(['eye_in_hand']);
  expect(Object.keys(wrist.reset(key(0)).images!)).toEqual(['eye_in_hand']);
  const blind = await open();
  expect(blind.reset(key(0))).not.toHaveProperty('images');
  await expect(TabletopEnvironment.open(task, { views: ['third'] })).rejects.toThrow(
    "The simulated robot has no camera 'third'; its views are agentview, eye_in_hand.",
  );
});

test('a rollout asks with the pictures of the present, also when it is disturbed', async () => {
  const environment = await open(CAMERAS, { ...task, maxSteps: 8 });
  const asked: Observation[] = [];
  const actor: Actor = {
    robot: PANDA,
    chunkLength: 4,
    infer: async (observation) => {
      asked.push(observation);
      return { actions: new Float32Array(28), latencyMs: 1 };
    },
  };
  const options = { episode: 0, seed: 4, multistep: 4, temperature: 1 };
  await rollout(environment, actor, options);
  await rollout(disturbed(environment, 'offset', options), actor, options);
  expect(asked).toHaveLength(4);
  const [calm, , knocked] = asked.map((one) => Buffer.from(one.images!.agentview.data));
  environment.reset(initialStateKey(task, 0, 4));
  expect(calm.equals(environment.observe().images!.agentview.data)).toBe(true);
  expect(knocked.equals(calm)).toBe(false);
});
