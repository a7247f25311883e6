/** The held-out scale of surprise, of small random policies on small recorded worlds. */

import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { expect, test } from 'vitest';
import type { Episode } from '../../src/data/index.ts';
import { type PolicyConfig, readCheckpoint } from '../../src/policy/index.ts';
import { key } from '../../src/random.ts';
import { PANDA } from '../../src/robot/index.ts';
import { leaves, type NDArray } from '../../src/tensor/index.ts';
import { measureSurprise } from '../../src/train/surprise.ts';
import { observation, saveRandomPolicy } from '../support/policy.ts';

/** An episode of `length` steps in which the hand moves and nothing else. */
function episode(length: number, demo = 0): Episode {
  const { state, entities, instruction } = observation;
  const { categories, poses } = entities;
  const rows = Array.from({ length }, (_, t) => t);
  return {
    ...{
      file: 'made.hdf5',
      demo,
      suite: 'made',
      task: 'made',
      instruction,
      length,
      categories,
      names: categories,
      robot: PANDA,
      views: {},
    },
    actions: new Float32Array(7 * length),
    state: Float32Array.from(rows.flatMap((t) => state.map((x, i) => (i < 3 ? x + 0.01 * t : x)))),
    poses: Float32Array.from(rows.flatMap(() => poses)),
  };
}

async function policyOf(decoder: object, change: Partial<PolicyConfig> = {}) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'surprise-'));
  try {
    const { config, statistics, model, assets } = readCheckpoint(
      await saveRandomPolicy(directory, decoder, { scale: 0.1 }),
    );
    return { config: { ...config, ...change }, statistics, model, assets };
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}
const data = (...episodes: Episode[]) => ({ episodes, windows: [] });

test('a decision every half chunk, at z = 0 and at the temperature of acting', async () => {
  const policy = await policyOf({ use_plu: false });
  // 5 -> 0, 10 -> 5, 15 -> 10, 20 -> 15 of the first; 5 -> 0 of the second; none of the third.
  const found = (await measureSurprise(policy, data(episode(21), episode(10, 1), episode(5, 2)), key(1)))!;
  expect(found).toMatchObject({ horizon: 5, n: 5, scales: [{ temperature: 0 }, { temperature: 1 }] });
  const [central, sampled] = found.scales.map(({ quantiles }) => quantiles);
  expect(central).toHaveLength(101);
  // A sample is less likely than the centre by half the 70 squares of its noise, of which clamping leaves about half.
  expect(sampled[50] - central[50]).toBeGreaterThan(10);
  expect(await measureSurprise(policy, data(episode(21), episode(10, 1), episode(5, 2)), key(1))).toEqual(found);
  const calm = (await measureSurprise(
    { ...policy, config: { ...policy.config, acting: { ...policy.config.acting, temperature: 0 } } },
    data(episode(21)),
    key(1),
  ))!;
  expect(calm.scales.map(({ temperature }) => temperature)).toEqual([0]);
});

test('nothing where there is nothing to measure', async () => {
  const policy = await policyOf({});
  expect(await measureSurprise(policy, data(episode(5)), key(1))).toBeUndefined();
  const regression = await policyOf({ name: 'regression', hidden_dim: 8, n_layers: 1, cond_dim: 12 });
  expect(await measureSurprise(regression, data(episode(30)), key(1))).toBeUndefined();
});

test('a policy that answers with nothing finite has no scale, and is no reason to lose its training', async () => {
  const policy = await policyOf({});
  const bias = leaves<NDArray>(policy.model.params.decoder).find(([path]) => path === 'pool.bias')!;
  bias[1].data.fill(Number.NaN);
  expect(await measureSurprise(policy, data(episode(30)), key(1))).toBeUndefined();
});
