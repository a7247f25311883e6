import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { cellsOf, hashOf, onlyCells } from './cells.ts';
import { readStudy } from './study.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cells-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));

const versions = { package: '1', engine: '2', mujoco: '3' };

const STUDY = {
  suites: ['tabletop-object', 'tabletop-goal'],
  seeds: [0, 7],
  baseline: 'base',
  demonstrations: { episodes: 5, seed: 0 },
  evaluation: { episodes: 3, seed: 100 },
  training: { max_steps: 10 },
  variants: {
    base: { label: 'base' },
    deep: { label: 'deep', decoder: { n_layers: 3 } },
    hot: { label: 'hot', evaluation: { temperature: 2 } },
    same: { label: 'base again', training: { max_steps: 10 } },
  },
};

/** JSON is YAML. */
function cells(study: object, given = versions) {
  const file = path.join(folder, 'study.yaml');
  fs.writeFileSync(file, JSON.stringify(study));
  return cellsOf(readStudy(file), given);
}

test('the first seed of everything comes before the second of anything', () => {
  expect(cells(STUDY).map(({ name }) => name)).toEqual(
    [0, 7].flatMap((seed) =>
      STUDY.suites.flatMap((suite) => Object.keys(STUDY.variants).map((variant) => `${suite}/${variant}/${seed}`)),
    ),
  );
});

test('a variant changes what it names; the seed reaches training and rollouts', () => {
  const all = cells(STUDY);
  const deep = all.find(({ name }) => name === 'tabletop-goal/deep/7')!;
  expect(deep.training).toMatchObject({ suite: 'tabletop-goal', settings: { seed: 7 } });
  expect(deep.training.settings).toMatchObject({ decoder: { n_layers: 3 }, training: { max_steps: 10 } });
  expect(deep.training.settings).not.toHaveProperty('data');
  expect(deep.evaluation).toEqual({ episodes: 3, seed: 107 });
});

test('variants of evaluation share a training; a variant that changes nothing is the same cell', () => {
  const [base, deep, hot, same] = cells(STUDY);
  expect(hot.trainingHash).toBe(base.trainingHash);
  expect(hot.hash).not.toBe(base.hash);
  expect(deep.trainingHash).not.toBe(base.trainingHash);
  expect(same.hash).toBe(base.hash);
});

const first = (study: object, given = versions) => cells(study, given)[0].hash;

test.each([
  ['suite', { suites: ['tabletop-spatial'] }],
  ['seed', { seeds: [1] }],
  ['demonstrations', { demonstrations: { episodes: 6, seed: 0 } }],
  ['their seed', { demonstrations: { episodes: 5, seed: 1 } }],
  ['rollouts', { evaluation: { episodes: 4, seed: 100 } }],
  ['their seed', { evaluation: { episodes: 3, seed: 101 } }],
  ['temperature', { evaluation: { episodes: 3, seed: 100, temperature: 0 } }],
  ['a setting', { training: { max_steps: 11 } }],
  ['another', { decoder: { use_plu: false } }],
  ['the decoder', { decoder: { name: 'regression' }, variants: { base: { label: 'b' } } }],
])('%s is part of the hash', (_, change) => {
  expect(first({ ...STUDY, ...change })).not.toBe(first(STUDY));
});

test.each(['package', 'engine', 'mujoco'])('the version of %s is part of the hash', (name) => {
  expect(first(STUDY, { ...versions, [name]: 'other' })).not.toBe(first(STUDY));
});

test('a default that is spelled out, a name and a label are not', () => {
  expect(first({ ...STUDY, training: { learning_rate: 2e-5, max_steps: 10 } })).toBe(first(STUDY));
  expect(first({ ...STUDY, variants: { other: { label: 'x' } }, baseline: 'other' })).toBe(first(STUDY));
});

test('the order of keys does not change a hash, any value does', () => {
  const json = fc.jsonValue({ maxDepth: 3 });
  fc.assert(
    fc.property(fc.dictionary(fc.string(), json), fc.string(), json, (value, name, other) => {
      const turned = Object.fromEntries(Object.entries(value).reverse());
      expect(hashOf(turned)).toBe(hashOf(value));
      fc.pre(JSON.stringify(value[name]) !== JSON.stringify(other) && name !== '__proto__');
      expect(hashOf({ ...value, [name]: other })).not.toBe(hashOf(value));
    }),
  );
});

test('--only: any of the words of each filter', () => {
  const all = cells(STUDY);
  const names = (...filters: string[]) => onlyCells(all, filters).map(({ name }) => name);
  expect(names()).toHaveLength(all.length);
  expect(names('hot,deep', '/7', 'goal')).toEqual(['tabletop-goal/deep/7', 'tabletop-goal/hot/7']);
  expect(names('nothing')).toEqual([]);
});

test('the shipped studies are sound; every group of the ablations tells the base again', () => {
  const [main, ablate] = ['main', 'ablate'].map((name) =>
    cellsOf(readStudy(path.join(import.meta.dirname, `../../recipes/${name}.yaml`)), versions),
  );
  expect(new Set(main.map(({ variant }) => variant.name))).toContain('diffusion');
  const base = ablate.find(({ variant }) => variant.name === 'base')!;
  const groups = new Set(ablate.map(({ variant }) => variant.group));
  const withBase = new Set(ablate.flatMap(({ variant, hash }) => (hash === base.hash ? [variant.group] : [])));
  expect([...groups].filter((group) => !withBase.has(group))).toEqual([]);
});
