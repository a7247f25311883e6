/** A summary as Markdown: the paper's table of success by suite and decoder, one table per group of an ablation. */
import type { Pooled, Summary, VariantSummary } from './summary.ts';

const NONE = '–';

const percent = (share: number) => (100 * share).toFixed(1);

/** '97.5 [96.1, 98.4]': success in percent with its 95% interval; a dash where nothing is finished. */
export function successText(result: Pooled | null): string {
  if (result === null) return NONE;
  const [low, high] = result.interval;
  return `${percent(result.success_rate)} [${percent(low)}, ${percent(high)}]`;
}

export const countText = (result: Pooled | null): string => String(result?.n ?? NONE);

/** '+1.2 [-0.9, +3.3]': points to the baseline with the 95% interval. */
export function differenceText(result: Pooled | null): string {
  if (!result?.difference) return NONE;
  const { rate, interval } = result.difference;
  const signed = (share: number) => `${share >= 0 ? '+' : ''}${percent(share)}`;
  return `${signed(rate)} [${interval.map(signed).join(', ')}]`;
}

/** '96.0 – 98.5': the lowest and the highest rate of a seed. */
export function spreadText(result: Pooled | null): string {
  if (result === null || result.seeds.length < 2) return NONE;
  const rates = result.seeds.map(({ success_rate }) => success_rate);
  return `${percent(Math.min(...rates))} – ${percent(Math.max(...rates))}`;
}

const MEASURES: readonly (readonly [string, (variant: VariantSummary) => string])[] = [
  ['parameters', ({ parameters }) => (parameters === null ? NONE : `${(parameters / 1e6).toFixed(2)}M`)],
  ['training, min', ({ training_s }) => (training_s === null ? NONE : (training_s / 60).toFixed(1))],
  ['decoding, ms', ({ latency_ms }) => latency_ms?.toFixed(2) ?? NONE],
  ['held-out bits/dim', ({ metrics }) => metrics.val_bits_per_dim?.toFixed(3) ?? NONE],
  ['held-out MSE, nearest of 8 samples', ({ metrics }) => metrics.val_best_of_8_mse?.toFixed(4) ?? NONE],
];

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** @returns the table of success, and where they do not fit into it those of differences and of cost */
export function tablesOf(summary: Summary): Table[] {
  return summary.variants.some(({ group }) => group !== undefined) ? [groupedTable(summary)] : suiteTables(summary);
}

function suiteTables({ baseline, suites, variants }: Summary): Table[] {
  const several = suites.length > 1;
  const { label } = variants.find(({ variant }) => variant === baseline)!;
  const columns = [...suites.map((suite) => suite.replace('tabletop-', '')), ...(several ? ['average'] : [])];
  const results = (v: VariantSummary) => [...v.suites.map(({ result }) => result), ...(several ? [v.average] : [])];
  return [
    {
      title: 'Success, % [95% interval]',
      head: ['', ...columns, 'rollouts', 'lowest – highest seed'],
      rows: variants.map((v) => [v.label, ...results(v).map(successText), countText(v.average), spreadText(v.average)]),
    },
    {
      title: `Difference to ${label}, points [95% interval]`,
      head: ['', ...columns],
      rows: variants
        .filter(({ variant }) => variant !== baseline)
        .map((v) => [v.label, ...results(v).map(differenceText)]),
    },
    {
      title: 'Size, cost and held-out measures',
      head: ['', ...MEASURES.map(([name]) => name)],
      rows: variants.map((v) => [v.label, ...MEASURES.map(([, text]) => text(v))]),
    },
  ];
}

/** An ablation: each group is told in the row it begins with. */
function groupedTable({ variants }: Summary): Table {
  const rows = variants.map((v, i) => [
    v.group === variants[i - 1]?.group ? '' : (v.group ?? ''),
    ...[v.label, successText(v.average), countText(v.average), spreadText(v.average), differenceText(v.average)],
    ...MEASURES.map(([, text]) => text(v)),
  ]);
  const success = ['success, % [95% interval]', 'rollouts', 'lowest – highest seed', 'points to the base'];
  return { title: 'One change at a time', head: ['', '', ...success, ...MEASURES.map(([name]) => name)], rows };
}

/** The tables, and how much of the study they hold if not all of it. */
export function markdown(summary: Summary): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const tables = tablesOf(summary).map(
    ({ title, head, rows }) =>
      `**${title}**\n\n${row(head)}${row(head.map((_, i) => (i === 0 ? '---' : '---:')))}${rows.map(row).join('')}`,
  );
  const { finished, cells } = summary;
  return `${tables.join('\n')}${finished < cells ? `\n${finished} of ${cells} cells are finished.\n` : ''}`;
}
