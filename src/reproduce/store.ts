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
import { UsageError } from '../errors.ts';
import { writeFileAtomically } from '../files.ts';
import { toJson } from '../json.ts';
import { readJson } from '../json-files.ts';
import { settingsIn, trainConfig } from '../train/index.ts';
import { type Cell, hashOf, type Rollouts, type Training } from './cells.ts';
import { rolloutSchema } from './study.ts';

export const trainingSchema = z.object({
  suite: z.string(),
  demonstrations: z.object({ episodes: z.int().min(1), seed: z.int().min(0), task: z.int().min(0).optional() }),
  settings: z.record(z.string(), z.unknown()),
  versions: z.object({ package: z.string(), engine: z.string(), mujoco: z.string() }),
});

const rate = { successes: z.int().min(0), n: z.int().min(1) };

/** Fields of a result, also in the lines of results that are published. */
export const resultShape = {
  evaluation: z.looseObject({ seed: z.int().min(0) }),
  ...rate,
  tasks: z.array(z.object({ task: z.string(), ...rate })),
  /** Of decoding a chunk, while other cells were computed beside it. */
  latency_ms: z.object({ p50: z.number().min(0), p95: z.number().min(0) }),
  /** The last line of metrics.jsonl. */
  metrics: z.record(z.string(), z.number()),
  /** Spent on updates. */
  training_s: z.number().min(0),
  evaluation_s: z.number().min(0),
  /** What computed the decoder in the rollouts. */
  backend: z.string().default('graph'),
  /** What the seconds and milliseconds were measured on; unknown of the first results. */
  machine: z.object({ cpu: z.string(), cores: z.int().min(1), node: z.string() }).optional(),
  parameters: z.int().min(1),
  data_hash: z.string(),
};

const resultSchema = z.object(resultShape).superRefine(checkCounts);

/** Successes are among their rollouts, and the tasks' are the whole's. */
export function checkCounts(
  { successes, n, tasks }: { successes: number; n: number; tasks: readonly { successes: number; n: number }[] },
  context: z.RefinementCtx,
): void {
  const wrong = (message: string) => context.addIssue({ code: 'custom', path: ['tasks'], message });
  if ([{ successes, n }, ...tasks].some((one) => one.successes > one.n))
    wrong('there are more successes than rollouts');
  const sum = (name: 'successes' | 'n') => tasks.reduce((total, task) => total + task[name], 0);
  if (sum('successes') !== successes || sum('n') !== n)
    wrong(`they add up to ${sum('successes')} of ${sum('n')}, not ${successes} of ${n}`);
}

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
        const result = readStored(resultFile(evaluation), resultSchema);
        const settings = result && present(result.evaluation);
        return settings === undefined ? [] : [[hashOf({ training, evaluation: settings }), result!]];
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
  writeFileAtomically(trainingFile(folder), `${toJson(training, 2)}\n`);
  return folder;
}

/** Where a cell's episodes are. */
export const evaluationFolder = (training: string, { hash }: Pick<Cell, 'hash'>) =>
  path.join(training, 'evaluations', hash.slice(0, 12));

export function writeResult(evaluation: string, result: Result): void {
  writeFileAtomically(resultFile(evaluation), `${toJson(result, 2)}\n`);
}

/** The training that a folder is of; undefined when its settings no longer exist. */
function readTraining(folder: string): Training | undefined {
  const stored = readStored(trainingFile(folder), trainingSchema);
  if (stored === undefined) return undefined;
  try {
    const { data: _, ...settings } = trainConfig(settingsIn(stored.settings, folder));
    return { ...stored, settings };
  } catch (error) {
    // Of another version of this program: nothing asks for it.
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

/** An evaluation's settings as today's schema completes them; undefined when they no longer exist. */
function present({ seed, ...settings }: Result['evaluation']): Rollouts | undefined {
  const parsed = rolloutSchema.safeParse(settings);
  return parsed.success ? { ...parsed.data, seed } : undefined;
}

function subfolders(folder: string): string[] {
  if (!fs.existsSync(folder)) return [];
  const entries = fs.readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => path.join(folder, name));
}

/** Undefined when there is no such file. */
const readStored = <S extends z.ZodType>(file: string, schema: S): z.output<S> | undefined =>
  fs.existsSync(file) ? readJson(file, schema, 'Delete its folder to compute it again.') : undefined;
