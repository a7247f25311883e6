/** The paper's figure: success against latency, one point per model and backend, with the interval of the success. */
import type { ChartSpec } from '../report/vega.ts';

export interface Point {
  readonly model: string;
  readonly backend: string;
  readonly latencyMs: number;
  /** In [0, 1], as its 95% interval. */
  readonly successRate: number;
  readonly interval: readonly [low: number, high: number];
}

/** Milliseconds are on a logarithmic axis: the models are orders of magnitude apart. */
export function latencyFigure(points: readonly Point[]): ChartSpec {
  const models = [...new Set(points.map(({ model }) => model))];
  return {
    title: 'Success against the time of one decode',
    width: 460,
    height: 280,
    data: {
      values: points.map(({ model, backend, latencyMs, successRate, interval: [low, high] }) => ({
        ...{ model, backend, latencyMs, success: 100 * successRate, low: 100 * low, high: 100 * high },
      })),
    },
    encoding: {
      x: {
        field: 'latencyMs',
        type: 'quantitative',
        scale: { type: 'log' },
        title: 'median time of one decode, ms',
        axis: { grid: true, tickCount: 6, format: '~g' },
      },
      color: { field: 'model', type: 'nominal', sort: models, title: null },
    },
    layer: [
      {
        mark: { type: 'rule', strokeWidth: 2, opacity: 0.5 },
        encoding: {
          y: { field: 'low', type: 'quantitative', title: 'success, %', scale: { zero: false } },
          y2: { field: 'high' },
        },
      },
      {
        mark: { type: 'point', filled: true, size: 80, opacity: 1 },
        encoding: {
          y: { field: 'success', type: 'quantitative' },
          shape: { field: 'backend', type: 'nominal', title: 'backend' },
        },
      },
    ],
  };
}
