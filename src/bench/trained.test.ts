import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { UsageError } from '../errors.ts';
import { assignments, trainConfig } from '../train/index.ts';
import { readTrained } from './trained.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nina-trained-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));

const settings = {
  flow: trainConfig(assignments(['decoder=nina', 'n_layers=4', 'affine_dim=16'])),
  diffusion: trainConfig(assignments(['decoder=flower', 'dit_dim=32', 'n_heads=2', 'n_layers=2', 'encoder.dim=48'])),
};

function file(name: string, ...lines: string[]): string {
  const target = path.join(folder, name);
  fs.writeFileSync(target, lines.map((line) => `${line}\n`).join(''));
  return target;
}
const cell = (variant: keyof typeof settings, suite: string, seed: number, successes: number) =>
  JSON.stringify({
    ...{ study: 'main', variant, label: `The ${variant}`, suite, seed, successes, n: 10 },
    ...{ success_rate: successes / 10, settings: settings[variant] },
  });

test('variants come with their decoder and the success of the seeds that ran on all suites', () => {
  const trained = readTrained(
    file(
      'main.jsonl',
      ...[cell('flow', 'a', 0, 9), cell('flow', 'b', 0, 8), cell('flow', 'a', 1, 10)],
      ...[
        cell('diffusion', 'a', 0, 5),
        cell('diffusion', 'b', 0, 6),
        cell('diffusion', 'b', 1, 0),
        cell('diffusion', 'a', 1, 1),
      ],
    ),
  );
  expect(trained.map(({ label, successes, n }) => [label, successes, n])).toEqual([
    ['The flow', 17, 20],
    ['The diffusion', 12, 40],
  ]);
  const [flow, diffusion] = trained;
  expect(flow.success_rate).toBe(17 / 20);
  expect(flow.interval[0]).toBeLessThan(17 / 20);
  expect(flow.model.config).toMatchObject({ name: 'nina', n_layers: 4, affine_dim: 16 });
  // The encoder's token is as wide as the encoder was.
  expect(diffusion.model).toMatchObject({ config: { name: 'flower', dit_dim: 32 }, width: 4 * 48 });
});

test('a variant that no seed has on all suites is left out', () => {
  const lines = [cell('flow', 'a', 0, 9), cell('flow', 'b', 0, 8), cell('diffusion', 'a', 0, 5)];
  expect(readTrained(file('partial.jsonl', ...lines)).map(({ label }) => label)).toEqual(['The flow']);
});

test('another file is refused with the place', () => {
  expect(() => readTrained(path.join(folder, 'none'))).toThrow(UsageError);
  expect(() => readTrained(file('other.jsonl', cell('flow', 'a', 0, 1), '{"a": 1}'))).toThrow(
    /other\.jsonl, line 2: variant: .* Wanted a line of results/,
  );
});

test('settings of another version are told in one sentence', () => {
  const former = cell('flow', 'a', 0, 9).replace(/"settings":.*/, '"settings":{"decoder":"nina","n_layers":4}}');
  expect(() => readTrained(file('former.jsonl', former))).toThrow(UsageError);
  expect(() => readTrained(file('former.jsonl', former))).toThrow(
    /former\.jsonl: The flow was trained by another version, with settings that this one does not read\. Compute .*anew: .*\.$/,
  );
});

test('a variant that acts otherwise with the same training is the same decoder', () => {
  const main = cell('flow', 'a', 0, 9);
  const noisy = main.replace('"variant":"flow"', '"variant":"flow-from-noise"');
  const trained = readTrained(file('twice.jsonl', main, noisy, cell('diffusion', 'a', 0, 5)));
  expect(trained.map(({ label, successes }) => [label, successes])).toEqual([
    ['The flow', 9],
    ['The diffusion', 5],
  ]);
});
