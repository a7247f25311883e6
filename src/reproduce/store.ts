/**
 * What is on disk. In the folder of all reproductions:
 *
 *   demos/SUITE-HASH/                       demonstrations, shared by all trainings on them
 *   trainings/HASH/                         a training run, as `nina train` writes it, and training.json
 *   trainings/HASH/evaluations/HASH/        episodes.jsonl, and result.json once all are done
 *
 * Folders are found by what their files describe, read by today's schema, and not by their name: a setting that came
 * later, with a default, does not part a result from its cell.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as z from 'zod';
import { NinaError, UsageError } from '../errors.ts';
import { fileError, writeFileAtomically } from '../files.ts';
import { trainConfig } from '../train/index.ts';
import { type Cell, hashOf, type Rollouts, type Training } from './cells.ts';
import { rollouts } from './study.ts';

const trainingSchema = z.object({
  suite: z.string(),
  demonstrations: z.object({ episodes: z.number(), seed: z.number(), task: z.number().optional() }),
  settings: z.record(z.string(), z.unknown()),
  versions: z.object({ package: z.string(), engine: z.string(), mujoco: z.string() }),
});

export const resultSchema = z.object({
  evaluation: z.looseObject({ seed: z.number() }),
  successes: z.int(),
  n: z.int(),
  tasks: z.array(z.object({ task: z.string(), successes: z.int(), n: z.int() })),
  /** Of decoding a chunk, while other cells were computed beside it. */
  latency_ms: z.object({ p50: z.number(), p95: z.number() }),
  /** The last line of metrics.jsonl. */
  metrics: z.record(z.string(), z.number()),
  /** Spent on updates. */
  training_s: z.number(),
  evaluation_s: z.number(),
  /** What computed the decoder in the rollouts. */
  backend: z.string().default('graph'),
  /** What the seconds and milliseconds were measured on; unknown of the first results. */
  machine: z.object({ cpu: z.string(), cores: z.int(), node: z.string() }).optional(),
  parameters: z.int(),
  data_hash: z.string(),
});

/** What a cell came to. */
export type Result = z.output<typeof resultSchema>;

export interface StoredTraining {
  readonly folder: string;
  /** Finished evaluations, by the hash of their cell. */
  readonly results: ReadonlyMap<string, Result>;
}

export const demonstrationsFolder = (out: string, { suite, demonstrations, versions }: Training) =>
  path.join(out, 'demos', `${suite}-${hashOf({ suite, demonstrations, versions }).slice(0, 12)}`);

const trainingFile = (folder: string) => path.join(folder, 'training.json');
const resultFile = (folder: string) => path.join(folder, 'result.json');

/** All trainings begun in `out`, by the hash of what they are of. @throws NinaError for a damaged file. */
export function storedTrainings(out: string): Map<string, StoredTraining> {
  return new Map(
    subfolders(path.join(out, 'trainings')).flatMap((folder): [string, StoredTraining][] => {
      const training = readTraining(folder);
      if (training === undefined) return [];
      const results = subfolders(path.join(folder, 'evaluations')).flatMap((evaluation): [string, Result][] => {
        const result = readJson(resultFile(evaluation), resultSchema);
        return result === undefined ? [] : [[hashOf({ training, evaluation: present(result.evaluation) }), result]];
      });
      return [[hashOf(training), { folder, results: new Map(results) }]];
    }),
  );
}

/** The training's folder: where it was begun before, else a new one that says what it is of. */
export function openTraining(out: string, { training, trainingHash }: Cell): string {
  const known = storedTrainings(out).get(trainingHash);
  if (known !== undefined) return known.folder;
  const folder = path.join(out, 'trainings', trainingHash.slice(0, 12));
  writeFileAtomically(trainingFile(folder), `${JSON.stringify(training, null, 2)}\n`);
  return folder;
}

/** Where a cell's episodes are. */
export const evaluationFolder = (training: string, { hash }: Pick<Cell, 'hash'>) =>
  path.join(training, 'evaluations', hash.slice(0, 12));

export function writeResult(evaluation: string, result: Result): void {
  writeFileAtomically(resultFile(evaluation), `${JSON.stringify(result, null, 2)}\n`);
}

/** The training that a folder is of; undefined when its settings no longer exist. */
function readTraining(folder: string): Training | undefined {
  const stored = readJson(trainingFile(folder), trainingSchema);
  if (stored === undefined) return undefined;
  const given = Object.entries(stored.settings).map(([name, value]) => [name, { value, where: folder }] as const);
  try {
    const { data: _, ...settings } = trainConfig(new Map(given));
    return { ...stored, settings };
  } catch (error) {
    // Of another version of this program: nothing asks for it.
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

/** An evaluation's settings as today's schema completes them. */
function present({ seed, ...settings }: Result['evaluation']): Rollouts {
  return { ...rollouts.schema.parse(settings), seed };
}

function subfolders(folder: string): string[] {
  if (!fs.existsSync(folder)) return [];
  const entries = fs.readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => path.join(folder, name));
}

/** Undefined when there is no such file. */
function readJson<S extends z.ZodType>(file: string, schema: S): z.output<S> | undefined {
  if (!fs.existsSync(file)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw fileError(`Could not read ${file}`, cause);
    throw new NinaError(`${file} is not JSON: ${cause.message}. Delete its folder to compute it again.`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new NinaError(`${file}: ${issue!.path.join('.')}: ${issue!.message}. Delete its folder to compute it again.`);
}
