/** The lines that a study's results are kept and published as: one JSON object per finished cell, no weights needed. */
import { type Rate, rate } from '../statistics/index.ts';
import type { Cell, Rollouts, Training, Versions } from './cells.ts';
import type { Result } from './store.ts';
import type { DemonstrationSettings } from './study.ts';

export interface ResultLine extends Rate {
  /** Suite, variant and seed. */
  readonly name: string;
  readonly study: string;
  readonly suite: string;
  readonly variant: string;
  readonly label: string;
  readonly group?: string;
  /** Of training. */
  readonly seed: number;
  /** Of all that the result is a function of. */
  readonly hash: string;
  readonly tasks: Result['tasks'];
  readonly latency_ms: Result['latency_ms'];
  readonly metrics: Result['metrics'];
  readonly training_s: number;
  readonly evaluation_s: number;
  readonly backend: string;
  readonly machine?: Result['machine'];
  readonly parameters: number;
  readonly data_hash: string;
  readonly demonstrations: DemonstrationSettings;
  readonly settings: Training['settings'];
  readonly evaluation: Rollouts;
  readonly versions: Versions;
}

/** One line per cell that has a result, in the order of the cells. */
export function resultLines(study: string, cells: readonly Cell[], results: ReadonlyMap<string, Result>): ResultLine[] {
  return cells.flatMap(({ name, hash, variant, training, evaluation }): ResultLine[] => {
    const result = results.get(hash);
    if (result === undefined) return [];
    const { suite, demonstrations, settings, versions } = training;
    return [
      {
        ...{ name, study, suite, variant: variant.name, label: variant.label, group: variant.group },
        ...{ seed: settings.seed, hash, ...rateOf(result), ...result, demonstrations, settings, evaluation, versions },
      },
    ];
  });
}

/** Rollouts of several cells as one sample. */
export function rateOf(...counts: readonly { successes: number; n: number }[]): Rate {
  const successes = counts.reduce((sum, count) => sum + count.successes, 0);
  const n = counts.reduce((sum, count) => sum + count.n, 0);
  return rate(successes, n);
}
