import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { latencySchema } from '../../src/bench/latency.ts';
import { settingsIn, trainConfig } from '../../src/train/index.ts';
import { nina, ninaJson } from './nina.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nina-bench-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));

/** One finished cell of a study. */
const decoder = { name: 'nina', n_layers: 2, affine_dim: 16, cond_dim: 8 };
const settings = trainConfig(settingsIn({ decoder }, 'test'));
const cell = { variant: 'small', label: 'A small flow', suite: 'tabletop-object', seed: 0, successes: 7, n: 10 };
const results = path.join(folder, 'main.jsonl');
fs.writeFileSync(results, `${JSON.stringify({ ...cell, settings })}\n`);

test('nina bench latency measures what nina reproduce trained, and draws it', () => {
  const figure = path.join(folder, 'figures', 'latency.svg');
  const options = ['--results', results, '--only', 'small', '--seconds', 1, '--figure', figure];
  const latency = latencySchema.parse(ninaJson('bench', 'latency', ...options));
  expect(new Set(latency.models.map(({ name }) => name))).toEqual(new Set(['A small flow, as trained']));
  expect(latency.models[0].backend).toBe('graph');
  expect(fs.readFileSync(figure, 'utf8')).toMatch(/success: 70; model: A small flow; backend: graph/);
});

test('nina bench latency without what it needs is wrong usage', () => {
  const unused = nina('bench', 'latency', '--whole', '--results', results);
  expect(unused.code).toBe(2);
  expect(unused.stderr).toContain("option '--whole' cannot be used with option '--results <file>'");
  const threads = nina('bench', 'latency', '--threads', 2);
  expect(threads.code).toBe(2);
  expect(threads.stderr).toBe('--threads is of --whole: the decoders alone are measured on one thread.\n');
  const unmeasured = nina('bench', 'latency', '--figure', path.join(folder, 'f.svg'));
  expect(unmeasured).toMatchObject({ code: 2, stdout: '' });
  expect(unmeasured.stderr).toContain('--results');
  const untrained = nina('bench', 'latency', '--results', results, '--figure', 'f.svg', '--only', 'Diffusion');
  expect(untrained).toMatchObject({ code: 2, stdout: '' });
  expect(untrained.stderr).toContain('no trained model');
  const unknown = nina('bench', 'latency', '--only', 'no such model');
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(unknown.stderr).toContain('Diffusion 330M');
});

test('nina bench train measures a whole step with one thread and with two', () => {
  const { models } = ninaJson('bench', 'train', '--backbone', 'mlp', '--batch_size', 4, '--rounds', 2) as {
    models: { name: string; workers: number; runs: number; median_ms: number }[];
  };
  expect(models.map(({ name, workers, runs }) => [name, workers, runs])).toEqual([
    ['NinA-MLP 28 x 64', 1, 2],
    ['NinA-MLP 28 x 64', 2, 2],
  ]);
  for (const { median_ms } of models) expect(median_ms).toBeGreaterThan(0);
  const unknown = nina('bench', 'train', '--backbone', 'cnn');
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(unknown.stderr).toContain("--backbone is mlp, trans or tower; got 'cnn'.");
});

test("nina bench train measures an image tower's gradient with one thread and with two", () => {
  const { models } = ninaJson('bench', 'train', '--backbone', 'tower', '--batch_size', 2, '--rounds', 1) as {
    models: { name: string; workers: number; runs: number; parameters: number; median_ms: number }[];
  };
  const name = 'Image tower, 2 x 2 pictures of 112 px, gradient';
  expect(models.map((m) => [m.name, m.workers, m.runs, m.parameters])).toEqual([
    [name, 1, 1, 1_726_816],
    [name, 2, 1, 1_726_816],
  ]);
  for (const { median_ms } of models) expect(median_ms).toBeGreaterThan(0);
});
