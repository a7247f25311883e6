/** The results in this repository are of its recipes, and what is made of results takes them. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { expect, test } from 'vitest';
import { readTrained } from '../../src/bench/trained.ts';
import { cellsOf, readStudy } from '../../src/reproduce/index.ts';
import { readPublished } from '../../src/reproduce/published.ts';
import { renderStudies } from '../../src/reproduce/report.ts';

const root = path.join(import.meta.dirname, '../..');
const results = path.join(root, 'results');

test.each(['main', 'ablate'])('every line of %s was computed with the settings that the recipe now names', (study) => {
  const lines = fs
    .readFileSync(path.join(results, `${study}.jsonl`), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const cells = cellsOf(readStudy(path.join(root, `recipes/${study}.yaml`)), lines[0].versions);
  expect(cells.length).toBe(lines.length);
  for (const { name, training, evaluation } of cells) {
    const line = lines.find((other) => other.name === name);
    const { settings } = line;
    // What came later is what it always was.
    const later = { init_weights: true, training: { ...settings.training, freeze: 'none', encoder_rate: 1 } };
    expect({ ...settings, ...later }, name).toEqual(JSON.parse(JSON.stringify(training.settings)));
    expect(line?.evaluation, name).toEqual(JSON.parse(JSON.stringify(evaluation)));
  }
});

test('they are drawn, and their decoders measured', () => {
  const studies = ['main', 'ablate'].flatMap((study) => readPublished(results, study));
  const report = renderStudies(studies);
  expect(report).not.toMatch(/undefined|NaN|\[object/);
  expect(report).toContain('<dt>training.batch_size</dt>');
  const trained = readTrained(path.join(results, 'main.jsonl'));
  expect(trained.map(({ label, successes, n }) => `${label} ${successes}/${n}`)).toEqual([
    'NinA MLP 582/600',
    'NinA Transformer 519/600',
    'Diffusion 566/600',
    'Regression 543/600',
  ]);
});
