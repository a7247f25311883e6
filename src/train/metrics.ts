/**
 * The record of a run: metrics.jsonl, one object per line, appended as the run goes; metrics.csv, the same as a table
 * for spreadsheets, rewritten from it. On resume the record is cut back to the checkpoint's step, so that the lines of
 * lost steps are not there twice.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as z from 'zod';
import { NinaError } from '../errors.ts';
import { fileError, requireFile, writeFileAtomically } from '../files.ts';
import { toJson } from '../json.ts';
import { readJsonLog, readText } from '../json-files.ts';

const lineSchema = z.object({
  /** Updates done. */
  step: z.int().min(1),
  /** Training loss: a flow's negative log-likelihood of a chunk, nats; the squared error of the others. */
  loss: z.number(),
  grad_norm: z.number(),
  lr: z.number(),
  steps_per_s: z.number().positive(),
  /** The loss of the averaged weights on held-out episodes, with the same noise as in training. */
  val_loss: z.number().optional(),
  /** Of a flow: the same per action dimension, in bits. */
  val_bits_per_dim: z.number().optional(),
  /** Mean over held-out chunks of the smallest squared error among 8 samples, per dimension. */
  val_best_of_8_mse: z.number().optional(),
  /** Squared error per dimension of the sample at z = 0. */
  val_z0_mse: z.number().optional(),
});

/** One line. The training numbers are means over the steps since the previous line; val_* come with validations. */
export type Metrics = Readonly<z.output<typeof lineSchema>>;

const COLUMNS = Object.keys(lineSchema.shape) as readonly (keyof Metrics)[];

const jsonl = (directory: string) => path.join(directory, 'metrics.jsonl');

/** @throws NinaError for a number that is not finite, or when the file cannot be written. */
export function appendMetrics(directory: string, line: Metrics): void {
  const text = toJson(line);
  try {
    fs.appendFileSync(jsonl(directory), `${text}\n`);
  } catch (cause) {
    throw fileError(`Could not write ${jsonl(directory)}`, cause);
  }
}

const ADVICE = 'Each line is what training measured up to a step: remove those that are not, or train again.';

/**
 * All whole lines; a line cut by a crash is not one.
 * @throws NinaError naming the line that is damaged, or is not of a later step than the one before it.
 */
export function readMetrics(directory: string): Metrics[] {
  const file = jsonl(directory);
  if (!fs.existsSync(file)) return [];
  const lines = readJsonLog(file, lineSchema, ADVICE);
  const late = lines.findIndex(({ step }, i) => i > 0 && step <= lines[i - 1].step);
  if (late > 0)
    throw new NinaError(
      `${file}, line ${late + 1} is of step ${lines[late].step}, and the line before it of step ${lines[late - 1].step}. ${ADVICE}`,
    );
  return lines;
}

/** Drops what was recorded after `step`. */
export function truncateMetrics(directory: string, step: number): void {
  const kept = readMetrics(directory).filter((line) => line.step <= step);
  writeFileAtomically(jsonl(directory), kept.map((line) => `${toJson(line)}\n`).join(''));
}

/** metrics.csv from metrics.jsonl; a number that a line lacks is an empty cell. */
export function writeCsv(directory: string): void {
  const rows = readMetrics(directory).map((line) => COLUMNS.map((name) => line[name] ?? '').join(','));
  writeFileAtomically(path.join(directory, 'metrics.csv'), `${[COLUMNS.join(','), ...rows].join('\n')}\n`);
}

/**
 * Whether the run has been saved as one of this many steps. The table is the last thing that saving writes: a kill may
 * leave a whole checkpoint whose run is not up to it.
 */
export function isFinished(directory: string, steps: number): boolean {
  const file = path.join(directory, 'metrics.csv');
  requireFile(file);
  return fs.existsSync(file) && readText(file).trimEnd().split('\n').at(-1)!.startsWith(`${steps},`);
}
