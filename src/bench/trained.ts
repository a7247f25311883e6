/**
 * What `nina reproduce` trained and measured, read from its lines of results: the decoders, whose latency can be
 * measured, and their success.
 */
import * as fs from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { NinaError, UsageError } from '../errors.ts';
import { readJsonLines } from '../json-files.ts';
import { rate } from '../statistics/index.ts';
import { settingsIn, type TrainConfig, trainConfig } from '../train/index.ts';
import { decoderConfig, widthOfTokens } from '../train/parts.ts';
import type { Model } from './models.ts';

const line = z
  .object({
    variant: z.string(),
    label: z.string(),
    suite: z.string(),
    seed: z.int().min(0),
    successes: z.int().min(0),
    n: z.int().min(1),
    settings: z.record(z.string(), z.unknown()),
  })
  .refine(({ successes, n }) => successes <= n, 'there are more successes than rollouts');
type Line = z.infer<typeof line>;

export interface Trained {
  readonly model: Model;
  /** The variant, for people. */
  readonly label: string;
  /** Rollouts on all suites, of the seeds that are finished on all of them. */
  readonly successes: number;
  readonly n: number;
  readonly success_rate: number;
  /** Of 95%. */
  readonly interval: readonly [low: number, high: number];
}

/** The state encoder makes one token. */
const TOKENS = 1;

/**
 * The variants of a study in a file of result lines. Left out are those that are not finished for one seed on all suites,
 * and those that act otherwise with what an earlier variant trained.
 * @throws UsageError if the file is none of `nina reproduce`, naming the line.
 */
export function readTrained(file: string): Trained[] {
  if (!fs.existsSync(file))
    throw new UsageError(`There is no file ${file}: wanted the lines that nina reproduce writes, results/main.jsonl.`);
  const lines = readLines(file);
  const suites = new Set(lines.map(({ suite }) => suite));
  const firstWith = (settings: Line['settings']) =>
    lines.find((other) => isDeepStrictEqual(other.settings, settings))!.variant;
  const variants = lines.filter(({ variant, settings }) => firstWith(settings) === variant);
  return [...new Set(variants.map(({ variant }) => variant))].flatMap((variant): Trained[] => {
    const own = lines.filter((other) => other.variant === variant);
    const cells = own.filter(({ seed }) => own.filter((other) => other.seed === seed).length === suites.size);
    const [first] = cells;
    if (first === undefined) return [];
    const successes = cells.reduce((sum, cell) => sum + cell.successes, 0);
    const n = cells.reduce((sum, cell) => sum + cell.n, 0);
    return [{ model: modelOf(first, file), label: first.label, ...rate(successes, n) }];
  });
}

function readLines(file: string): Line[] {
  try {
    return readJsonLines(file, line, 'Wanted a line of results, as nina reproduce writes it to results/main.jsonl.');
  } catch (error) {
    if (error instanceof NinaError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

function modelOf({ label, settings }: Line, where: string): Model {
  const { encoder, decoder } = configOf(settings, label, where);
  const config = decoderConfig(decoder);
  return { name: `${label}, as trained`, config, tokens: TOKENS, width: widthOfTokens(encoder) };
}

function configOf(settings: Line['settings'], label: string, where: string): TrainConfig {
  try {
    return trainConfig(settingsIn(settings, where));
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    throw new UsageError(
      `${where}: ${label} was trained by another version, with settings that this one does not read. Compute the study ` +
        'anew: nina reproduce main --results FOLDER.',
      { cause },
    );
  }
}
