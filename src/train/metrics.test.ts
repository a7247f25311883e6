import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NinaError } from '../errors.ts';
import { appendMetrics, isFinished, readMetrics, truncateMetrics, writeCsv } from './metrics.ts';

let run: string;
beforeEach(() => {
  run = fs.mkdtempSync(path.join(os.tmpdir(), 'nina-metrics-'));
});
afterEach(() => fs.rmSync(run, { recursive: true }));

const line = (step: number) => ({ step, loss: 1.5, grad_norm: 2, lr: 0.1, steps_per_s: 3 });
const file = () => path.join(run, 'metrics.jsonl');

test('a line that a kill cut is none, and is gone once the run goes on', () => {
  appendMetrics(run, line(2));
  fs.appendFileSync(file(), '{"step":4,"lo');
  expect(readMetrics(run)).toEqual([line(2)]);
  truncateMetrics(run, 2);
  appendMetrics(run, line(4));
  expect(readMetrics(run)).toEqual([line(2), line(4)]);
});

test('any other damage is told with its line', () => {
  fs.writeFileSync(file(), `${JSON.stringify(line(2))}\n{"step":4,"loss":null}\n`);
  expect(() => readMetrics(run)).toThrow(NinaError);
  expect(() => readMetrics(run)).toThrow(/metrics\.jsonl, line 2: loss: expected number, received null/);
});

test('what is not finite is not written', () => {
  expect(() => appendMetrics(run, { ...line(2), loss: Number.NaN })).toThrow(/^loss is NaN, which JSON cannot hold/);
  expect(fs.existsSync(file())).toBe(false);
});

test('a run is finished when all of its last save is there', () => {
  fs.mkdirSync(path.join(run, 'checkpoints', '12'), { recursive: true });
  fs.writeFileSync(path.join(run, 'checkpoints', '12', 'manifest.json'), '{}');
  expect(isFinished(run, 12)).toBe(false);
  appendMetrics(run, line(1));
  writeCsv(run);
  expect(isFinished(run, 12)).toBe(false);
  appendMetrics(run, line(12));
  writeCsv(run);
  expect(isFinished(run, 12)).toBe(true);
  expect(isFinished(run, 1)).toBe(false);
});
