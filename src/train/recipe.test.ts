import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import { NinaError, UsageError } from '../errors.ts';
import { assignments, flagSettings, readRecipe } from './recipe.ts';
import { check } from './settings.ts';

const schema = z.strictObject({
  seed: z.int().min(0).default(0),
  decoder: z
    .strictObject({
      name: z.string().default('nina'),
      backbone: z.enum(['mlp', 'trans']).default('mlp'),
      n_layers: z.int().min(1).default(28),
      use_plu: z.boolean().default(true),
    })
    .prefault({}),
  training: z.strictObject({ batch_size: z.int().min(1).default(80) }).prefault({}),
});
const homes = new Map(
  ['decoder.backbone', 'decoder.n_layers', 'decoder.use_plu', 'training.batch_size'].map((to) => [
    to.split('.')[1],
    to,
  ]),
);

let dir: string;
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'recipe-'));
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

function recipe(text: string): string {
  const file = path.join(dir, 'r.yaml');
  fs.writeFileSync(file, text);
  return file;
}

function message(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(NinaError);
    return (error as NinaError).message.replaceAll(`${dir}/`, '');
  }
  throw new Error('nothing was thrown');
}

const mistakes = (text: string) => message(() => check(schema, readRecipe(recipe(text)), homes)).split('\n');

test('defaults, recipe, flags and --set, the later winning', () => {
  const file = recipe('# header\ndecoder:\n  n_layers: 3\n  backbone: trans\n');
  const settings = new Map([
    ...readRecipe(file),
    ...flagSettings({ n_layers: '4', use_plu: undefined }),
    ...assignments(['decoder.use_plu=false', 'batch_size=2', 'training.batch_size=3']),
  ]);
  expect(check(schema, settings)).toEqual({
    seed: 0,
    decoder: { name: 'nina', backbone: 'trans', n_layers: 4, use_plu: false },
    training: { batch_size: 3 },
  });
});

test('a recipe without a word, and sections without one, leave the defaults', () => {
  for (const text of ['# nothing but comments\n', 'decoder:\ntraining:\n', 'decoder: {}\n'])
    expect(check(schema, readRecipe(recipe(text)))).toEqual(schema.parse({}));
  expect(
    check(schema, new Map([...readRecipe(recipe('decoder:\n')), ...assignments(['n_layers=2'])])).decoder,
  ).toMatchObject({ n_layers: 2 });
});

test('an unknown key: its line, its path, the nearest one, and all that are allowed there', () => {
  expect(mistakes('decoder:\n\n  n_layer: 3\n')).toEqual([
    "r.yaml:3: unknown key 'decoder.n_layer'; did you mean 'decoder.n_layers'? Allowed: name, backbone, n_layers, use_plu",
  ]);
  expect(mistakes('decodr: { n_layers: 3 }\nbatch_siz: 1\n')).toEqual([
    "r.yaml:1: unknown key 'decodr'; did you mean 'decoder'? Allowed: seed, decoder, training",
    "r.yaml:2: unknown key 'batch_siz'; did you mean 'training.batch_size'? Allowed: seed, decoder, training",
  ]);
  expect(mistakes('decoder: { "a.b": 1 }\n')).toEqual([
    "r.yaml:1: unknown key 'decoder.a.b'. Allowed: name, backbone, n_layers, use_plu",
  ]);
});

test('a setting of the former flat recipes, or in another section, is told where it belongs', () => {
  expect(mistakes('n_layers: 8\nbackbone: trans\ndecoder: { seed: 3 }\ntraining:\n  use_plu: false\n').sort()).toEqual([
    "r.yaml:1: n_layers belongs under 'decoder:'.",
    "r.yaml:2: backbone belongs under 'decoder:'.",
    'r.yaml:3: seed belongs at the top, in no section.',
    "r.yaml:5: use_plu belongs under 'decoder:'.",
  ]);
});

test('a section is a mapping, never a name alone', () => {
  expect(mistakes('decoder: flower\ntraining: [1]\n')).toEqual([
    `r.yaml:1: decoder is a section, a mapping; got "flower". Write 'decoder: { name: flower }'.`,
    "r.yaml:2: training is a section, a mapping; got [1]. Write 'training: { KEY: VALUE }'.",
  ]);
  expect(message(() => check(schema, assignments(['training=3', 'training.batch_size=2'])))).toBe(
    "--set training: training is a section, a mapping; got 3. Write 'training: { KEY: VALUE }'.",
  );
});

test('wrong types and values: every mistake at once, each with its place', () => {
  const settings = new Map([
    ...readRecipe(recipe('seed: no\ndecoder:\n  n_layers: many\n  backbone: lstm\ntraining: { batch_size: 0 }\n')),
    ...flagSettings({ use_plu: 'maybe' }),
  ]);
  expect(
    message(() => check(schema, settings))
      .split('\n')
      .sort(),
  ).toEqual([
    '--use_plu: decoder.use_plu: expected boolean, received string; got "maybe"',
    'r.yaml:1: seed: expected number, received string; got "no"',
    'r.yaml:3: decoder.n_layers: expected number, received string; got "many"',
    'r.yaml:4: decoder.backbone: expected one of "mlp"|"trans"; got "lstm"',
    'r.yaml:5: training.batch_size: Too small: expected number to be >=1; got 0',
  ]);
});

test('what is no recipe', () => {
  expect(message(() => readRecipe(recipe('a: [1\nb: 2\n')))).toMatch(/^r.yaml:\d: not valid YAML: /);
  expect(message(() => readRecipe(recipe('a: 1\na: 2\n')))).toBe(
    'r.yaml:2: not valid YAML: Map keys must be unique at line 2, column 1.',
  );
  expect(message(() => readRecipe(recipe('- a\n')))).toMatch(/^r.yaml:1: a recipe is a mapping/);
  expect(message(() => readRecipe(recipe('seed: 1\ndecoder.n_layers: 2\n')))).toBe(
    "r.yaml:2: 'decoder.n_layers' has a dot: in a file, a setting stands under its section.",
  );
  expect(message(() => readRecipe(path.join(dir, 'none.yaml')))).toMatch(/none.yaml: no such file/);
  expect(assignments(['encoder.views=[a, 3,true]', 'x=[]'])).toEqual(
    new Map([
      ['encoder.views', { value: ['a', 3, true], where: '--set encoder.views' }],
      ['x', { value: [], where: '--set x' }],
    ]),
  );
  // A folder may be called so.
  for (const given of [assignments(['data=[a]', 'init=2024']), flagSettings({ data: '[a]', init: '2024' })])
    expect([...given.values()].map(({ value }) => value)).toEqual(['[a]', '2024']);
  expect(message(() => assignments(['n_layers']))).toBe("--set wants key=value; got 'n_layers'.");
});

test('mistakes in settings are wrong usage', () => {
  expect(() => check(schema, assignments(['n_layers=0']))).toThrow(UsageError);
  expect(message(() => check(schema, assignments(['n_layers=0'])))).toBe(
    '--set n_layers: decoder.n_layers: Too small: expected number to be >=1; got 0',
  );
});

test('keys that objects have anyway are no settings', () => {
  for (const name of ['__proto__', 'decoder.__proto__', '__proto__.x', 'decoder.toString', 'constructor'])
    expect(message(() => check(schema, assignments([`${name}=3`]), homes))).toContain(`--set ${name}: unknown key '`);
  expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
});

test('flags are numbers and booleans when they look like it, otherwise the very text; data is always text', () => {
  const values = (flags: Record<string, string>) =>
    Object.fromEntries([...flagSettings(flags)].map(([name, { value }]) => [name, value]));
  expect(values({ data: '2024', learning_rate: '1e-3', use_plu: 'false', backbone: '@foo' })).toEqual({
    data: '2024',
    'training.learning_rate': 0.001,
    'decoder.use_plu': false,
    'decoder.backbone': '@foo',
  });
  expect(values({ data: 'a #b' })).toEqual({ data: 'a #b' });
});
