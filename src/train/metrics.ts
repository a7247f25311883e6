/**
 * The record of a run: metrics.jsonl, one object per line, appended as the run goes; metrics.csv, the same as a table
 * for spreadsheets, rewritten from it. On resume the record is cut back to the checkpoint's step, so that the lines of
 * lost steps are not there twice.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileError, writeFileAtomically } from '../files.ts';

/** One line. The training numbers are means over the steps since the previous line; val_* come with validations. */
export interface Metrics {
  /** Updates done. */
  readonly step: number;
  /** Training loss: a flow's negative log-likelihood of a chunk, nats; the squared error of the others. */
  readonly loss: number;
  readonly grad_norm: number;
  readonly lr: number;
  readonly steps_per_s: number;
  /** The loss of the averaged weights on held-out episodes, with the same noise as in training. */
  readonly val_loss?: number;
  /** Of a flow: the same per action dimension, in bits. */
  readonly val_bits_per_dim?: number;
  /** Mean over held-out chunks of the smallest squared error among 8 samples, per dimension. */
  readonly val_best_of_8_mse?: number;
  /** Squared error per dimension of the sample at z = 0. */
  readonly val_z0_mse?: number;
}

const COLUMNS: readonly (keyof Metrics)[] = [
  'step',
  'loss',
  'grad_norm',
  'lr',
  'steps_per_s',
  'val_loss',
  'val_bits_per_dim',
  'val_best_of_8_mse',
  'val_z0_mse',
];

const jsonl = (directory: string) => path.join(directory, 'metrics.jsonl');

export function appendMetrics(directory: string, line: Metrics): void {
  try {
    fs.appendFileSync(jsonl(directory), `${JSON.stringify(line)}\n`);
  } catch (cause) {
    throw fileError(`Could not write ${jsonl(directory)}`, cause);
  }
}

/** All whole lines; a line cut by a crash is not one. */
export function readMetrics(directory: string): Metrics[] {
  const file = jsonl(directory);
  if (!fs.existsSync(file)) return [];
  const text = fs.readFileSync(file, 'utf8');
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Metrics);
}

/** Drops what was recorded after `step`. */
export function truncateMetrics(directory: string, step: number): void {
  const kept = readMetrics(directory).filter((line) => line.step <= step);
  writeFileAtomically(jsonl(directory), kept.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

/** metrics.csv from metrics.jsonl; a number that a line lacks is an empty cell. */
export function writeCsv(directory: string): void {
  const rows = readMetrics(directory).map((line) => COLUMNS.map((name) => line[name] ?? '').join(','));
  writeFileAtomically(path.join(directory, 'metrics.csv'), `${[COLUMNS.join(','), ...rows].join('\n')}\n`);
}
