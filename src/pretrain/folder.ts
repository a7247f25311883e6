/**
 * The folder of a pretraining: pretraining.json (what it is made with), state.safetensors (where it is), reports.jsonl (what was measured on
 * the way), and in the end the encoder.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as z from 'zod';
import type { Florence2Config } from '../encoders/florence2/config.ts';
import { encoderSchema } from '../encoders/index.ts';
import { NinaError, UsageError } from '../errors.ts';
import { fileError, writeFileAtomically } from '../files.ts';
import { sha256 } from '../hash.ts';
import { toJson } from '../json.ts';
import { readJson, readJsonLog } from '../json-files.ts';
import type { OptimizerState } from '../train/optimizer.ts';
import { readState, requireSize, writeState } from '../train/state.ts';
import { type PretrainSettings, pretrainSchema } from './config.ts';
import type { GroundingReport } from './evaluate.ts';

/** What is pretrained, and how. */
export interface Pretraining {
  readonly encoder: Florence2Config;
  /** The content of tokenizer.json. */
  readonly tokenizer: string;
  readonly settings: PretrainSettings;
}

const notedSchema = z.strictObject({ encoder: encoderSchema, settings: pretrainSchema, tokenizer: z.string() });

const notedPath = (run: string) => path.join(run, 'pretraining.json');
const reportsPath = (run: string) => path.join(run, 'reports.jsonl');

export const hashOf = (text: string) => sha256(new TextEncoder().encode(text));

/** What a run is made with, as its file says it. The tokenizer stands there as a hash. */
const noted = ({ encoder, settings, tokenizer }: Pretraining) => ({ encoder, settings, tokenizer: hashOf(tokenizer) });

export const isPretraining = (run: string): boolean => fs.existsSync(notedPath(run));

/** The settings that a started run goes on with. @throws UsageError when the folder holds none. */
export function readPretraining(run: string): z.output<typeof notedSchema> {
  if (!isPretraining(run))
    throw new UsageError(`${run} holds no pretraining to go on with: begin one without --resume.`);
  return readJson(notedPath(run), notedSchema);
}

export function notePretraining(run: string, what: Pretraining): void {
  if (!isPretraining(run)) writeFileAtomically(notedPath(run), `${toJson(noted(what))}\n`);
}

/**
 * Where a run is; undefined when nothing was saved yet.
 * @param size numbers of the model's parameters
 * @throws NinaError for a damaged state, or one of other settings.
 */
export function readProgress(run: string, what: Pretraining, size: number) {
  const saved = readState(run);
  if (!saved) return undefined;
  if (toJson(saved.settings) !== toJson(noted(what)))
    throw new NinaError(
      `${run} was begun with other settings, another encoder or another tokenizer. Choose another folder.`,
    );
  requireSize(run, saved, size);
  return saved;
}

export function saveProgress(run: string, what: Pretraining, step: number, optimizer: OptimizerState): void {
  const settings = noted(what);
  writeState(run, {
    ...{ step, optimizer, buffers: {}, sums: { steps: 0, loss: 0, gradNorm: 0 }, settings },
    dataHash: hashOf(toJson(settings)),
  });
}

const lineSchema = z.looseObject({ step: z.int().min(1) });

/** Drops reports of steps that were lost. */
export function cutReports(run: string, step: number): void {
  if (!fs.existsSync(reportsPath(run))) return;
  const lines = readJsonLog(reportsPath(run), lineSchema, 'Remove the line.').filter((line) => line.step <= step);
  writeFileAtomically(reportsPath(run), lines.map((line) => `${toJson(line)}\n`).join(''));
}

export function appendReport(run: string, step: number, report: GroundingReport): void {
  try {
    fs.appendFileSync(reportsPath(run), `${toJson({ step, ...report })}\n`);
  } catch (cause) {
    throw fileError(`Could not write ${reportsPath(run)}`, cause);
  }
}
