/**
 * The cells of a study's table, and what makes two cells the same: the hash of everything their result is a function of.
 * Variants that differ in evaluation alone share their training, and equal cells of different names are computed once.
 */
import { createHash } from 'node:crypto';
import type * as z from 'zod';
import { cpu } from '../engine/index.ts';
import { TabletopEnvironment } from '../sim/index.ts';
import { loadSuite } from '../sim/suites.ts';
import { type TrainConfig, trainConfig } from '../train/index.ts';
import { check } from '../train/settings.ts';
import { packageVersion } from '../version.ts';
import { type DemonstrationSettings, rolloutSchema, type Study, type Variant } from './study.ts';

export interface Versions {
  readonly package: string;
  /** Of the tensor engine. */
  readonly engine: string;
  readonly mujoco: string;
}

/** Everything a trained policy is a function of. */
export interface Training {
  readonly suite: string;
  readonly demonstrations: DemonstrationSettings;
  /** All settings, without the path of the data. */
  readonly settings: Omit<TrainConfig, 'data'>;
  readonly versions: Versions;
}

export type Rollouts = z.output<typeof rolloutSchema> & { readonly seed: number };

export interface Cell {
  /** 'tabletop-object/nina-mlp/0' */
  readonly name: string;
  readonly variant: Variant;
  readonly training: Training;
  readonly evaluation: Rollouts;
  /** Of the training alone. */
  readonly trainingHash: string;
  readonly hash: string;
}

/**
 * The cells in the order in which they are computed: all variants of the first seed over all suites come first, so that
 * an unfinished table is a whole one of fewer seeds.
 * @throws UsageError for settings that do not exist or do not fit together, with file and line.
 */
export function cellsOf(study: Study, versions: Versions): Cell[] {
  return study.seeds.flatMap((seed) =>
    study.suites.flatMap((suite) => study.variants.map((variant) => cellOf(study, suite, variant, seed, versions))),
  );
}

function cellOf(study: Study, suite: string, variant: Variant, seed: number, versions: Versions): Cell {
  const seeded = new Map([...variant.recipe, ['seed', { value: seed, where: 'seeds' }] as const]);
  const { data: _, ...settings } = trainConfig(seeded);
  const training: Training = { suite, demonstrations: study.demonstrations, settings, versions };
  const evaluation = {
    ...check(rolloutSchema, variant.evaluation),
    seed: study.evaluationSeed + seed,
  };
  return {
    name: `${suite}/${variant.name}/${seed}`,
    variant,
    training,
    evaluation,
    trainingHash: hashOf(training),
    hash: hashOf({ training, evaluation }),
  };
}

/** sha256 of a value, whatever the order of its keys. */
export function hashOf(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(ordered(value)))
    .digest('hex');
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, part]) => [name, ordered(part)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

export async function presentVersions(): Promise<Versions> {
  using environment = await TabletopEnvironment.open(loadSuite('tabletop-object')[0]);
  return { package: packageVersion, engine: cpu.name, mujoco: environment.engineVersion };
}

/**
 * Keeps the cells whose name holds, for each filter, one of its comma-separated words.
 * `['object,goal', 'mlp']` keeps tabletop-object/nina-mlp/0 and tabletop-goal/nina-mlp/0.
 */
export function onlyCells(cells: readonly Cell[], filters: readonly string[]): Cell[] {
  return cells.filter(({ name }) => filters.every((filter) => filter.split(',').some((word) => name.includes(word))));
}
