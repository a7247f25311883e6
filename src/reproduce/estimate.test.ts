import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { cellsOf } from './cells.ts';
import { minutesLeft } from './estimate.ts';
import type { Result } from './store.ts';
import { readStudy } from './study.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'estimate-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));

function cells(variants: object, seeds = [0]) {
  const file = path.join(folder, 'study.yaml');
  const study = { ...{ seeds, variants, suites: ['tabletop-goal'], baseline: 'a' } };
  const sizes = { demonstrations: { episodes: 1, seed: 0 }, evaluation: { episodes: 1, seed: 0 } };
  fs.writeFileSync(file, JSON.stringify({ ...study, ...sizes }));
  return cellsOf(readStudy(file), { package: '', engine: '', mujoco: '' });
}

const took = (training_s: number, evaluation_s: number): Result => ({
  ...{
    training_s,
    evaluation_s,
    successes: 1,
    n: 1,
    tasks: [],
    metrics: {},
    parameters: 1,
    data_hash: '',
    backend: 'graph',
  },
  ...{ evaluation: { seed: 0 }, latency_ms: { p50: 1, p95: 1 } },
});

const deep = { label: 'b', decoder: { n_layers: 3 } };

test('the recipe says it until a cell is measured; two at once take half', () => {
  const all = cells({ a: { label: 'a', minutes: 10 }, b: { ...deep, minutes: 4 } });
  expect(minutesLeft(all, new Map(), 1)).toBe(14);
  expect(minutesLeft(all, new Map(), 2)).toBe(7);
  expect(minutesLeft(cells({ a: { label: 'a', minutes: 10 }, b: deep }), new Map(), 1)).toBeUndefined();
});

test('a finished cell of the variant says it better', () => {
  const all = cells({ a: { label: 'a', minutes: 10 } }, [0, 1, 2]);
  const results = new Map([[all[0].hash, took(100, 20)]]);
  expect(minutesLeft(all, results, 1)).toBe(4);
  expect(minutesLeft(all, results, 8)).toBe(2);
});

test('a shared training is counted once, and not at all when it is finished', () => {
  const all = cells({ a: { label: 'a', minutes: 10 }, hot: { label: 'hot', evaluation: { temperature: 2 } } });
  expect(minutesLeft(all, new Map(), 1)).toBe(10);
  expect(minutesLeft(all, new Map([[all[0].hash, took(600, 60)]]), 1)).toBe(0);
});

test('a running job counts by what is left of it', () => {
  const all = cells({ a: { label: 'a', minutes: 10 } });
  const at = (stage: 'training' | 'rollouts', done: number) =>
    minutesLeft(all, new Map(), 1, new Map([[all[0].trainingHash, { stage, done, total: 10, note: '' }]]))!;
  expect(at('training', 0)).toBe(10);
  expect(at('training', 5)).toBeLessThan(10);
  expect(at('rollouts', 1)).toBeLessThan(at('training', 9));
  expect(at('rollouts', 10)).toBeCloseTo(0, 12);
});
