/** A summary as charts: success with its intervals, and how far each variant is from the baseline. */
import type { ChartSpec } from '../report/vega.ts';
import type { Pooled, Summary, VariantSummary } from './summary.ts';

/** By the end of their file's name: 'success' is written to main-success.svg. */
export function chartsOf(summary: Summary): Record<string, ChartSpec> {
  const { variants } = summary;
  const groups = [...new Set(variants.map(({ group }) => group))];
  if (groups.some((group) => group !== undefined)) return { success: groupsChart(summary, groups) };
  const charts: Record<string, ChartSpec> = { success: suitesChart(summary) };
  const differences = variants.flatMap((variant) =>
    columns(summary, variant).flatMap(({ suite, result }) =>
      result?.difference
        ? [{ variant: variant.label, suite, ...points(result.difference.rate, result.difference.interval) }]
        : [],
    ),
  );
  if (differences.length > 0) charts.difference = differenceChart(summary, differences);
  return charts;
}

interface Point {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const points = (rate: number, [low, high]: readonly [number, number]): Point => ({
  ...{ value: 100 * rate, low: 100 * low, high: 100 * high },
});

/** The suites' results, and that of all suites where there are several. */
function columns({ suites }: Summary, variant: VariantSummary): { suite: string; result: Pooled | null }[] {
  const named = variant.suites.map(({ suite, result }) => ({ suite: suite.replace('tabletop-', ''), result }));
  return suites.length > 1 ? [...named, { suite: 'average', result: variant.average }] : named;
}

/** Intervals as rules, rates as dots: what every chart here shows along y. */
const intervalLayers = (title: string, domain?: readonly [number, number]) => {
  const scale = { zero: false, ...(domain && { domain: [...domain] }) };
  return [
    {
      mark: { type: 'rule' as const, strokeWidth: 2, opacity: 0.6 },
      encoding: {
        y: { field: 'low', type: 'quantitative' as const, title, scale },
        y2: { field: 'high' },
      },
    },
    {
      mark: { type: 'point' as const, filled: true, size: 70, opacity: 1 },
      encoding: { y: { field: 'value', type: 'quantitative' as const } },
    },
  ];
};

/** Success by suite, the variants side by side. */
function suitesChart(summary: Summary): ChartSpec {
  const values = summary.variants.flatMap((variant) =>
    columns(summary, variant).flatMap(({ suite, result }) =>
      result ? [{ variant: variant.label, suite, ...points(result.success_rate, result.interval) }] : [],
    ),
  );
  const labels = summary.variants.map(({ label }) => label);
  return {
    width: { step: 22 },
    height: 260,
    data: { values },
    encoding: {
      x: { field: 'suite', type: 'nominal', sort: null, title: null, axis: { labelAngle: 0, labelFontSize: 12 } },
      xOffset: { field: 'variant', type: 'nominal', sort: labels },
      // A variant keeps its colour whatever is finished.
      color: { field: 'variant', type: 'nominal', scale: { domain: labels }, title: null },
    },
    layer: intervalLayers('success, %'),
  };
}

function differenceChart(summary: Summary, values: readonly (Point & { variant: string; suite: string })[]): ChartSpec {
  const baseline = summary.variants.find(({ variant }) => variant === summary.baseline)!.label;
  const labels = summary.variants.map(({ label }) => label);
  return {
    width: { step: 22 },
    height: 220,
    data: { values: [...values] },
    encoding: {
      x: { field: 'suite', type: 'nominal', sort: null, title: null, axis: { labelAngle: 0, labelFontSize: 12 } },
      xOffset: { field: 'variant', type: 'nominal', sort: labels },
      color: { field: 'variant', type: 'nominal', scale: { domain: labels }, title: null },
    },
    layer: [
      {
        mark: { type: 'rule', strokeDash: [4, 3], color: '#667085' },
        encoding: {
          y: { datum: 0 },
          x: { value: 0 },
          x2: { value: 'width' },
          xOffset: { value: 0 },
          color: { value: '#667085' },
        },
      },
      ...intervalLayers(`points to ${baseline}`),
    ],
  };
}

/** One panel per group of an ablation, on one scale; the baseline stands out. */
function groupsChart(summary: Summary, groups: readonly (string | undefined)[]): ChartSpec {
  const all = summary.variants.flatMap(({ group, label, average }) =>
    average
      ? [{ group, label, changed: average.difference !== null, ...points(average.success_rate, average.interval) }]
      : [],
  );
  const low = Math.floor(Math.min(100, ...all.map((point) => point.low)) / 5) * 5;
  return {
    columns: 3,
    concat: groups.map((group) => ({
      title: group ?? '',
      width: { step: 78 },
      height: 180,
      data: { values: all.filter((point) => point.group === group) },
      encoding: {
        x: { field: 'label', type: 'nominal' as const, sort: null, title: null, axis: { labelAngle: 0 } },
        color: {
          field: 'changed',
          type: 'nominal' as const,
          scale: { domain: [true, false] },
          legend: null,
        },
      },
      layer: intervalLayers('success, %', [low, 100]),
    })),
  };
}
