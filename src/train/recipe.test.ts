import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import { NinaError, UsageError } from '../errors.ts';
import { assignments, check, flagSettings, readRecipe } from './recipe.ts';

const schema = z.strictObject({
  backbone: z.enum(['mlp', 'trans']).default('mlp'),
  n_layers: z.int().min(1).default(28),
  use_plu: z.boolean().default(true),
});
const allowed = Object.keys(schema.shape);

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

test('defaults, recipe, flags and --set, the later winning', () => {
  const file = recipe('# header\nn_layers: 3\nbackbone: trans\n');
  const settings = new Map([
    ...readRecipe(file),
    ...flagSettings({ n_layers: '4', use_plu: undefined }),
    ...assignments(['use_plu=false']),
  ]);
  expect(check(schema, allowed, settings)).toEqual({ backbone: 'trans', n_layers: 4, use_plu: false });
  expect(check(schema, allowed, readRecipe(recipe('# nothing but comments\n')))).toEqual(schema.parse({}));
});

test('an unknown key: its line, the nearest key, and all that are allowed', () => {
  const settings = readRecipe(recipe('backbone: mlp\n\nn_layer: 3\n'));
  expect(message(() => check(schema, allowed, settings))).toBe(
    "r.yaml:3: unknown key 'n_layer'; did you mean 'n_layers'? Allowed: backbone, n_layers, use_plu",
  );
});

test('wrong types and values: every mistake at once, each with its place', () => {
  const settings = new Map([
    ...readRecipe(recipe('n_layers: many\nbackbone: lstm\n')),
    ...flagSettings({ use_plu: 'maybe' }),
  ]);
  expect(
    message(() => check(schema, allowed, settings))
      .split('\n')
      .sort(),
  ).toEqual([
    '--use_plu: use_plu: expected boolean, received string; got "maybe"',
    'r.yaml:1: n_layers: expected number, received string; got "many"',
    'r.yaml:2: backbone: expected one of "mlp"|"trans"; got "lstm"',
  ]);
});

test('what is no recipe', () => {
  expect(message(() => readRecipe(recipe('a: [1\nb: 2\n')))).toMatch(/^r.yaml:\d: not valid YAML: /);
  expect(message(() => readRecipe(recipe('a: 1\na: 2\n')))).toBe(
    'r.yaml:2: not valid YAML: Map keys must be unique at line 2, column 1.',
  );
  expect(message(() => readRecipe(recipe('- a\n')))).toMatch(/^r.yaml:1: a recipe is a mapping/);
  expect(message(() => readRecipe(path.join(dir, 'none.yaml')))).toMatch(/none.yaml: no such file/);
  expect(message(() => assignments(['n_layers']))).toBe("--set wants key=value; got 'n_layers'.");
});

test('mistakes in settings are wrong usage', () => {
  expect(() => check(schema, allowed, assignments(['n_layers=0']))).toThrow(UsageError);
  expect(message(() => check(schema, allowed, assignments(['n_layers=0'])))).toBe(
    '--set n_layers: n_layers: Too small: expected number to be >=1; got 0',
  );
});

test('flags are numbers and booleans when they look like it, otherwise the very text; data is always text', () => {
  const values = (flags: Record<string, string>) =>
    Object.fromEntries([...flagSettings(flags)].map(([name, { value }]) => [name, value]));
  expect(values({ data: '2024', learning_rate: '1e-3', use_plu: 'false', backbone: '@foo' })).toEqual({
    data: '2024',
    learning_rate: 0.001,
    use_plu: false,
    backbone: '@foo',
  });
  expect(values({ data: 'a #b' })).toEqual({ data: 'a #b' });
});
