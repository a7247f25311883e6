import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { UsageError } from '../errors.ts';
import { cellsOf } from './cells.ts';
import { readStudy } from './study.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'study-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));
const file = path.join(folder, 'study.yaml');

const LINES = [
  'suites: [tabletop-object]',
  'seeds: [0]',
  'baseline: mlp',
  'demonstrations: { episodes: 5, seed: 0 }',
  'evaluation:',
  '  episodes: 3',
  '  seed: 100',
  'training:',
  '  max_steps: 10',
  'variants:',
  '  mlp:',
  '    label: MLP',
  '    decoder:',
  '      n_layers: 4',
];

/** What is said of the study with line `number` (from 1) in place of its own. */
function complaint(number: number, ...line: string[]): string {
  fs.writeFileSync(file, LINES.toSpliced(number - 1, 1, ...line).join('\n'));
  try {
    cellsOf(readStudy(file), { package: '', engine: '', mujoco: '' });
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).message.replaceAll(file, 'study.yaml');
  }
  throw new Error('The study was accepted.');
}

test('mistakes are told with their file and line', () => {
  for (const [number, lines, told] of [
    [1, ['suites: [tabletop-object, nowhere]'], /^study\.yaml:1: suites\.1: .*tabletop-spatial/],
    [2, ['seeds: []'], /^study\.yaml:2: seeds: /],
    [3, ['baseline: flower'], /^study\.yaml:3: baseline: is none of the variants \(mlp\); got 'flower'/],
    [
      4,
      ['demonstrations:', '  episodes: 5', '  sead: 0'],
      /^study\.yaml:4: demonstrations\.seed.*\nstudy\.yaml:6: .*sead: unknown key/,
    ],
    [6, ['  episodes: none'], /^study\.yaml:6: episodes: expected number.*got "none"/],
    [6, ['  episode: 3'], /study\.yaml:6: unknown key 'episode'; did you mean 'episodes'\?/],
    [7, ['  seed: -1'], /^study\.yaml:7: evaluation\.seed: /],
    [9, ['  max_stps: 10'], /^study\.yaml:9: unknown key 'training\.max_stps'; did you mean 'training\.max_steps'\?/],
    [9, ['  seed: 3'], /^study\.yaml:9: 'seed' is not for a study: the study's 'seeds' give it/],
    [11, ['  MLP!:'], /^study\.yaml:11: variants\.MLP!: .*a name is made of/],
    [12, ['    minutes: 3'], /^study\.yaml:11: variants\.mlp\.label: /],
    [14, ['      n_layers: 0'], /^study\.yaml:14: decoder\.n_layers: .*got 0/],
    [14, ['      data: here'], /^study\.yaml:14: 'data' is not for a study/],
    [14, ['      max_steps: 3'], /^study\.yaml:14: max_steps belongs under 'training:'/],
    [
      14,
      ['      n_layers: 3', '    evaluation: { seed: 3 }'],
      /^study\.yaml:15: unknown key 'seed'\. Allowed: task, episodes/,
    ],
    [8, ['decoder: flower', 'training:'], /^study\.yaml:8: decoder: wanted a mapping of settings/],
    [9, ['  decoder: nina'], /^study\.yaml:9: decoder belongs at the top, in no section/],
    [5, ['evaluation: {'], /^study\.yaml:\d+: not valid YAML/],
  ] as const)
    expect(complaint(number, ...lines)).toMatch(told);
});
