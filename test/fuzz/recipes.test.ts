/** What people write: recipes, studies, flags. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { expect, test } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import type { Rng } from '../../src/random.ts';
import { cellsOf } from '../../src/reproduce/cells.ts';
import { readStudy } from '../../src/reproduce/study.ts';
import { assignments, flagSettings, pathOf, plainNames, readRecipe, trainConfig } from '../../src/train/index.ts';
import { expectBoth, hunt, notSound, PATIENCE_MS } from './battery.ts';
import { TOKENS } from './json.ts';
import { anyText } from './text.ts';

const recipe = (name: string) => fs.readFileSync(path.join(import.meta.dirname, '../../recipes', `${name}.yaml`));

/** Settings as recipes and as the command line call them. */
const WORDS = [...plainNames, ...plainNames.map((name) => pathOf(name)!), 'encoder:', 'training:', 'acting:'];

/** Every feature of YAML that a recipe does not need, and some that no file does. */
const YAML_WORDS: readonly ((r: Rng) => string)[] = [
  (r) => r.pick(TOKENS),
  (r) => r.pick(WORDS),
  (r) => r.pick(['.nan', '.inf', '-.inf', '0x1F', '0o17', '1_000', '1:30', '2001-01-01', 'yes', 'off', '~', '1e400']),
  (r) => r.pick(['!foo 1', '!!binary aGk=', '!!set {a, b}', '!!float x', '!!int 3', '!!str 3', '!!omap [a: 1]', '!']),
  (r) => r.pick(['&a 1', '*a', '&a [*a]', '<<: *a', '<<: {seed: 3}', '&a {b: *a}', '*nothing']),
  (r) =>
    r.pick([
      '[1, 2]',
      '{a: 1}',
      '? [a]\n: 1',
      '- a',
      '|\n  text',
      '>\n text',
      '"\\0"',
      '"\\uD800"',
      "'",
      '#',
      ':',
      ',',
    ]),
  (r) =>
    r.pick([
      '\n---\n',
      '\n...\n',
      '\n%YAML 1.1\n---\n',
      '\t',
      '\n: 1\n',
      '\n1: 2\n',
      '\nseed: 3\n',
      '\n__proto__: 3\n',
    ]),
  (r) => r.pick(['[', '{a: ', '- ', '? ']).repeat(r.pick([3, 200, 3000])),
  // Nine levels of nine: the bomb.
  () =>
    `\na0: &a0 x\n${Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`)}]\n`).join('')}`,
];
const anyYaml = anyText(/[A-Za-z0-9_./-]+|[^\sA-Za-z0-9]/g, YAML_WORDS);

const versions = { package: '1', engine: '2', mujoco: '3' };

test('recipes', { timeout: PATIENCE_MS }, async () => {
  const sources = [
    ...['quickstart', 'pixels-frozen', 'pixels'].map(recipe),
    Buffer.from('decoder:\n  name: flower\n  dit_dim: 64\n  n_heads: 2\nseed: 3\ndata: "a b"\n'),
    Buffer.from('{ decoder: { backbone: trans, affine_dim: 32, use_plu: false }, acting: { multistep: 5 } }\n'),
  ];
  const seen = await hunt({
    name: 'recipes',
    files: (r) => ({ 'a.yaml': r.pick(sources) }),
    mutate: ({ 'a.yaml': bytes }, r) => ({ 'a.yaml': anyYaml(bytes, r) }),
    read: (folder) => notSound(trainConfig(readRecipe(path.join(folder, 'a.yaml')))),
  });
  expectBoth(seen);
});

test('studies', { timeout: PATIENCE_MS }, async () => {
  const seen = await hunt({
    name: 'studies',
    files: (r) => ({ 'a.yaml': recipe(r.pick(['main', 'ablate'])) }),
    mutate: ({ 'a.yaml': bytes }, r) => ({ 'a.yaml': anyYaml(bytes, r) }),
    read(folder) {
      const cells = cellsOf(readStudy(path.join(folder, 'a.yaml')), versions);
      if (new Set(cells.map(({ name }) => name)).size < cells.length) return 'two cells have one name';
      return notSound(cells.map(({ training, evaluation }) => [training, evaluation]));
    },
  });
  expectBoth(seen);
});

test('flags and --set', { timeout: PATIENCE_MS }, async () => {
  const words = [...YAML_WORDS, (r: Rng) => `${r.pick(WORDS)}=${r.pick(TOKENS)}`, () => '='];
  const mutate = anyText(/[A-Za-z0-9_.-]+|=|\n/g, words);
  const seen = await hunt({
    name: 'flags',
    files: () => ({
      flags: Buffer.from(
        'max_steps=3\ntraining.learning_rate=1e-3\ndecoder=nina\nuse_plu=true\nencoder.dim=32\ndata=some folder',
      ),
    }),
    mutate: ({ flags }, r) => ({ flags: mutate(flags, r) }),
    read(folder) {
      const texts = fs.readFileSync(path.join(folder, 'flags'), 'latin1').split('\n');
      const flags = Object.fromEntries(texts.map((text) => text.split('=', 2) as [string, string]));
      return (
        notSound(trainConfig(assignments(texts))) ??
        notSound(
          trainConfig(
            flagSettings(Object.fromEntries(Object.entries(flags).filter(([name]) => plainNames.includes(name)))),
          ),
        )
      );
    },
  });
  expectBoth(seen);
});

test('a bomb of aliases, a cycle and what else multiplies is wrong usage, told with its line', () => {
  const file = path.join(fs.mkdtempSync('/tmp/nina-fuzz-yaml-'), 'bomb.yaml');
  const bomb = YAML_WORDS.at(-1)!;
  for (const text of [
    bomb({} as Rng),
    'a: &a [*a]',
    'seed: &s 3\ntraining: { max_steps: *s }',
    `a: ${'['.repeat(5000)}`,
    'a: !x 1',
  ]) {
    fs.writeFileSync(file, text);
    expect(() => readRecipe(file)).toThrow(UsageError);
    expect(() => readRecipe(file)).toThrow(/bomb\.yaml:\d+: /);
  }
  fs.rmSync(path.dirname(file), { recursive: true });
});
