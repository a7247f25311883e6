/**
 * From cells to the numbers of a table. Rollouts of several seeds are pooled: their interval tells how well the rate of
 * these very policies is known; the spread of the seeds' own rates tells how much training another one would matter.
 */
import { type Difference, difference, median, type Rate } from '../statistics/index.ts';
import { type ResultLine, rateOf } from './results.ts';

export interface SeedRate {
  readonly seed: number;
  readonly successes: number;
  readonly n: number;
  readonly success_rate: number;
}

export interface Pooled extends Rate {
  readonly seeds: readonly SeedRate[];
  /** To the baseline on the seeds that both have; null for the baseline itself and where they share no seed. */
  readonly difference: Difference | null;
}

export interface VariantSummary {
  readonly variant: string;
  readonly label: string;
  readonly group?: string;
  /** Null where no cell is finished. */
  readonly parameters: number | null;
  /** Median over cells of the closed-loop median. */
  readonly latency_ms: number | null;
  /** Median over cells. */
  readonly training_s: number | null;
  /** Mean over cells of the last line of metrics. */
  readonly metrics: Readonly<Record<string, number>>;
  /** In the study's order; null for a suite without a finished cell. */
  readonly suites: readonly { readonly suite: string; readonly result: Pooled | null }[];
  /** Over all suites, of the seeds that are finished on all of them; null while there are none. */
  readonly average: Pooled | null;
}

export interface Summary {
  readonly study: string;
  readonly baseline: string;
  readonly suites: readonly string[];
  readonly finished: number;
  readonly cells: number;
  readonly variants: readonly VariantSummary[];
}

/** The part of a study that a summary needs. */
export interface Plan {
  readonly name: string;
  readonly baseline: string;
  readonly suites: readonly string[];
  readonly seeds: readonly number[];
  readonly variants: readonly { readonly name: string; readonly label: string; readonly group?: string }[];
}

/** The sums of what is finished: a cell without a line is left out. */
export function summaryOf(plan: Plan, lines: readonly ResultLine[]): Summary {
  const of = (variant: string) => lines.filter((line) => line.variant === variant);
  const baseline = of(plan.baseline);
  return {
    study: plan.name,
    baseline: plan.baseline,
    suites: plan.suites,
    finished: lines.length,
    cells: plan.suites.length * plan.seeds.length * plan.variants.length,
    variants: plan.variants.map(({ name, label, group }) => {
      const own = of(name);
      // A variant that changes nothing is the baseline under another name.
      const other = baseline.filter(({ hash }) => !own.some((line) => line.hash === hash));
      return {
        ...{ variant: name, label, group },
        parameters: own[0]?.parameters ?? null,
        latency_ms: own.length === 0 ? null : median(own.map((line) => line.latency_ms.p50)),
        training_s: own.length === 0 ? null : median(own.map((line) => line.training_s)),
        metrics: meanMetrics(own),
        suites: plan.suites.map((suite) => ({ suite, result: pool(on([suite], own), on([suite], other)) })),
        average: pool(complete(own, plan.suites), complete(other, plan.suites)),
      };
    }),
  };
}

const on = (suites: readonly string[], lines: readonly ResultLine[]) =>
  lines.filter(({ suite }) => suites.includes(suite));

/** The lines of the seeds that are finished on all suites: otherwise an average would weigh the suites unequally. */
function complete(lines: readonly ResultLine[], suites: readonly string[]): ResultLine[] {
  return lines.filter(({ seed }) =>
    suites.every((suite) => lines.some((line) => line.seed === seed && line.suite === suite)),
  );
}

function pool(own: readonly ResultLine[], baseline: readonly ResultLine[]): Pooled | null {
  if (own.length === 0) return null;
  const seeds = [...new Set(own.map(({ seed }) => seed))];
  const shared = seeds.filter((seed) => baseline.some((line) => line.seed === seed));
  const at = (lines: readonly ResultLine[], kept: readonly number[]) =>
    rateOf(...lines.filter(({ seed }) => kept.includes(seed)));
  return {
    ...rateOf(...own),
    seeds: seeds.map((seed) => {
      const { successes, n, success_rate } = at(own, [seed]);
      return { seed, successes, n, success_rate };
    }),
    difference: shared.length === 0 ? null : difference(at(own, shared), at(baseline, shared)),
  };
}

function meanMetrics(lines: readonly ResultLine[]): Record<string, number> {
  const names = Object.keys(lines[0]?.metrics ?? {}).filter((name) => lines.every(({ metrics }) => name in metrics));
  const mean = (name: string) => lines.reduce((sum, { metrics }) => sum + metrics[name], 0) / lines.length;
  return Object.fromEntries(names.map((name) => [name, mean(name)]));
}
