/** A summary as Markdown: the paper's table of success by suite and decoder, one table per group of an ablation. */
import type { Pooled, Summary, VariantSummary } from './summary.ts';

const percent = (share: number) => (100 * share).toFixed(1);

/** '97.5 [96.1, 98.4]': success in percent with its 95% interval; a dash where nothing is finished. */
export function successText(result: Pooled | null): string {
  if (result === null) return '–';
  const [low, high] = result.interval;
  return `${percent(result.success_rate)} [${percent(low)}, ${percent(high)}]`;
}

/** '+1.2 [-0.9, +3.3]': points to the baseline with the 95% interval. */
export function differenceText(result: Pooled | null): string {
  if (!result?.difference) return '–';
  const { rate, interval } = result.difference;
  const signed = (share: number) => `${share >= 0 ? '+' : ''}${percent(share)}`;
  return `${signed(rate)} [${interval.map(signed).join(', ')}]`;
}

/** '96.0 – 98.5': the lowest and the highest rate of a seed. */
export function spreadText(result: Pooled | null): string {
  if (result === null || result.seeds.length < 2) return '–';
  const rates = result.seeds.map(({ success_rate }) => success_rate);
  return `${percent(Math.min(...rates))} – ${percent(Math.max(...rates))}`;
}

const MEASURES: readonly (readonly [string, (variant: VariantSummary) => string])[] = [
  ['parameters', ({ parameters }) => (parameters === null ? '–' : `${(parameters / 1e6).toFixed(2)}M`)],
  ['decode ms', ({ latency_ms }) => latency_ms?.toFixed(2) ?? '–'],
  ['training min', ({ training_s }) => (training_s === null ? '–' : (training_s / 60).toFixed(1))],
  ['held-out bits/dim', ({ metrics }) => metrics.val_bits_per_dim?.toFixed(3) ?? '–'],
  ['held-out best of 8, MSE', ({ metrics }) => metrics.val_best_of_8_mse?.toFixed(4) ?? '–'],
];

export interface Table {
  /** What the rows have in common; undefined for a study without groups. */
  readonly title: string | undefined;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** One table per group, and one of what the variants cost. */
export function tablesOf(summary: Summary): Table[] {
  const groups = [...new Set(summary.variants.map(({ group }) => group))];
  const baseline = summary.variants.find(({ variant }) => variant === summary.baseline)!.label;
  return groups.flatMap((group) => {
    const variants = summary.variants.filter((variant) => variant.group === group);
    const rows = variants.map(({ label, suites, average }) => [
      label,
      ...suites.map(({ result }) => successText(result)),
      ...(suites.length > 1 ? [successText(average)] : []),
      String(average?.n ?? '–'),
      spreadText(average),
      differenceText(average),
    ]);
    const names = summary.suites.map((suite) => suite.replace('tabletop-', ''));
    const average = names.length > 1 ? ['average'] : [];
    const head = ['success, %', ...names, ...average, 'n', 'seeds from – to', `points to ${baseline}`];
    const costs = {
      head: ['', ...MEASURES.map(([name]) => name)],
      rows: variants.map((v) => [v.label, ...MEASURES.map(([, text]) => text(v))]),
    };
    return [
      { title: group, head, rows },
      { title: group && `${group}: cost and held-out measures`, ...costs },
    ];
  });
}

export function markdown(summary: Summary): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  return tablesOf(summary)
    .map(
      ({ title, head, rows }) =>
        `${title === undefined ? '' : `### ${title}\n\n`}${row(head)}${row(head.map((_, i) => (i === 0 ? '---' : '---:')))}${rows.map(row).join('')}`,
    )
    .join('\n');
}
