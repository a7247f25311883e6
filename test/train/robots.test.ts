/** Robots beside LIBERO's, from demonstrations to a policy that acts: absolute joint targets of one arm, and of two. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { observationAt, readDemonstrations } from '../../src/data/index.ts';
import { loadPolicy } from '../../src/policy/index.ts';
import { SILENT } from '../../src/progress.ts';
import { key } from '../../src/random.ts';
import { actionSize, BIMANUAL, checkActions, denormaliseActions, SIX_JOINT_ARM } from '../../src/robot/index.ts';
import { batcher, loadDemonstrations } from '../../src/train/dataset.ts';
import { assignments, train, trainConfig } from '../../src/train/index.ts';
import { decoderConfig } from '../../src/train/parts.ts';
import { message } from '../data/message.ts';
import { writeDemonstrations } from '../support/demonstrations.ts';
import { writeJointDemonstrations } from '../support/other-robots.ts';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'robots-'));
afterAll(() => fs.rmSync(dir, { recursive: true }));
const at = (...names: string[]) => path.join(dir, ...names);

const TINY = ['encoder.dim=16', 'encoder.heads=2', 'batch_size=16', 'learning_rate=0.003', 'validate_every=1000'];
const DECODERS = {
  nina: ['n_layers=2', 'affine_dim=16', 'cond_dim=16'],
  regression: ['decoder=regression', 'hidden_dim=64', 'n_layers=2', 'cond_dim=32'],
};

/** Trains in `run` and loads what came of it. */
async function trained(data: string, run: string, ...settings: string[]) {
  const config = trainConfig(assignments([`data=${data}`, ...TINY, ...settings]));
  await train(run, config, { signal: new AbortController().signal, report: SILENT });
  return loadPolicy(run);
}

describe.each([
  ['six-joint arm', SIX_JOINT_ARM],
  ['bimanual', BIMANUAL],
])('%s', (name, robot) => {
  const A = actionSize(robot);
  const file = at(name, 'demos.hdf5');

  test('files say whose actions and state they hold', async () => {
    await writeJointDemonstrations(file, robot, { sizes: robot });
    const episodes = await readDemonstrations(file);
    expect(episodes).toHaveLength(6);
    for (const { robot: found, actions, state, length } of episodes) {
      expect(found).toEqual(robot);
      expect([actions.length, state.length]).toEqual([length * A, length * A]);
      // What is commanded is where the robot is a step later.
      expect([...actions.subarray(0, A)]).toEqual([...state.subarray(A, 2 * A)]);
    }
  });

  test('batches hold each range scaled to [-1, 1], and beyond the end the last target', async () => {
    const T = 4;
    const found = await loadDemonstrations(file, { name: 'state', dim: 16, heads: 2 }, {}, 0, 0.2, () => {});
    const decoder = decoderConfig({ name: 'regression', chunk_length: T }, robot);
    const { allocate, fill } = batcher(found.train, { ...found, config: { encoder: found.encoder, decoder, robot } });
    const last = found.train.windows.findIndex(({ start }) => start === 11);
    const batch = allocate(1);
    fill(batch, [last]);
    expect(Math.max(...batch.actions.map(Math.abs))).toBeLessThanOrEqual(1);
    const { actions } = found.train.episodes[found.train.windows[last].episode];
    const chunk = denormaliseActions(robot.action, batch.actions.slice());
    for (let i = 0; i < T * A; i++) expect(chunk[i]).toBeCloseTo(actions[11 * A + (i % A)], 5);
  });

  test.each(Object.keys(DECODERS) as (keyof typeof DECODERS)[])('a %s policy acts within its ranges', async (kind) => {
    using policy = await trained(file, at(name, kind), 'max_steps=4', ...DECODERS[kind]);
    expect(policy.config.robot).toEqual(robot);
    const [episode] = await readDemonstrations(file);
    const observation = observationAt(episode, episode, 3);
    for (const temperature of [0, 1, 50]) {
      const { actions } = await policy.infer(observation, { key: key(1), temperature });
      expect(actions).toHaveLength(10 * A);
      checkActions(robot.action, actions, 'answer');
    }
    const demonstrated = episode.actions.slice(0, 10 * A);
    if (policy.logProb) expect((await policy.logProb(observation, demonstrated))[0]).toBeTypeOf('number');
    const { state: _, ...blind } = observation;
    expect(await message(() => policy.infer(blind, { key: key(1) }))).toContain("has no 'state'");
  });
});

test('what is learned are targets in the units of the robot', async () => {
  using policy = await trained(
    at('six-joint arm', 'demos.hdf5'),
    at('learns'),
    'max_steps=400',
    ...DECODERS.regression,
  );
  const episodes = await readDemonstrations(at('six-joint arm', 'demos.hdf5'));
  let error = 0;
  for (const episode of episodes.slice(0, 5)) {
    const { actions } = await policy.infer(observationAt(episode, episode, 0), { key: key(0) });
    for (let d = 0; d < 6; d++) error += Math.abs(actions[d] - episode.actions[d]) / 30;
  }
  // Random joints are a third of their range of 2 pi apart, 2.1 rad; one step moves a joint by a twelfth of that.
  expect(error).toBeLessThan(0.5);
});

test('whether a chunk can be split into halves is asked of the robot', async () => {
  using policy = await trained(
    at('six-joint arm', 'demos.hdf5'),
    at('odd'),
    'max_steps=1',
    'chunk_length=5',
    ...DECODERS.nina,
  );
  expect(policy.chunkLength).toBe(5);
  await writeDemonstrations(at('panda'), 2);
  const refused = trained(at('panda'), at('refused'), 'max_steps=1', 'chunk_length=5', ...DECODERS.nina);
  expect(await message(() => refused)).toMatch(
    /^decoder\.chunk_length: The mlp backbone .* got chunk_length 5 x action_dim 7\..* The robot is panda\.$/,
  );
  expect(fs.existsSync(at('refused', 'recipe.yaml'))).toBe(false);
});

test('files of two robots are refused by name, and so is one that does not say which robot it is of', async () => {
  await writeJointDemonstrations(at('mixed', 'a.hdf5'), SIX_JOINT_ARM, { demos: 1, sizes: SIX_JOINT_ARM });
  await writeJointDemonstrations(at('mixed', 'b.hdf5'), BIMANUAL, { demos: 1, sizes: BIMANUAL });
  expect(await message(() => readDemonstrations(at('mixed')))).toBe(
    `${at('mixed', 'a.hdf5')} is of the robot six-joint arm and ${at('mixed', 'b.hdf5')} of bimanual, which differ in ` +
      'name: "six-joint arm" and "bimanual". Train on the demonstrations of one robot.',
  );
  await writeJointDemonstrations(at('silent.hdf5'), undefined, { demos: 1, sizes: SIX_JOINT_ARM });
  expect(await message(() => readDemonstrations(at('silent.hdf5')))).toContain(
    '/data/demo_0/actions has shape [12, 6]; wanted [any, 7].',
  );
});

test.each([
  ['{', "/data's attribute 'nina_robot' is not JSON."],
  ['{"name": "x"}', "/data's attribute 'nina_robot': action: expected object, found none"],
  [
    JSON.stringify({ ...SIX_JOINT_ARM, action: { controlHz: 50, dimensions: [] } }),
    "/data's attribute 'nina_robot': action.dimensions: Too small",
  ],
])('a description of a robot that is none: %#', async (json, told) => {
  await writeJointDemonstrations(at('bad.hdf5'), json, { demos: 1, sizes: SIX_JOINT_ARM });
  expect(await message(() => readDemonstrations(at('bad.hdf5')))).toContain(told);
});
