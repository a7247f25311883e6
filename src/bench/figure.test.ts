import { expect, test } from 'vitest';
import { renderSvg } from '../report/vega.ts';
import { latencyFigure } from './figure.ts';

test('the figure has a point and an interval for each model and backend', async () => {
  const point = { successRate: 0.9, interval: [0.8, 0.95] as const };
  const svg = await renderSvg(
    latencyFigure([
      { ...point, model: 'flow', backend: 'graph', latencyMs: 2 },
      { ...point, model: 'flow', backend: 'wasm', latencyMs: 0.3 },
      { model: 'diffusion', backend: 'graph', latencyMs: 40, successRate: 0.95, interval: [0.9, 0.97] },
    ]),
  );
  const labels = [...svg.matchAll(/aria-label="([^"]*)"/g)].map(([, label]) => label);
  const at = (ms: number, rest: string) =>
    labels.filter((l) => l.startsWith(`median time of one decode, ms: ${ms};`) && l.includes(rest));
  expect(at(2, 'success: 90; model: flow; backend: graph')).toHaveLength(1);
  expect(at(0.3, 'success: 90; model: flow; backend: wasm')).toHaveLength(1);
  expect(at(40, 'success: 95; model: diffusion; backend: graph')).toHaveLength(1);
  expect(at(40, 'success, %: 90; high: 97')).toHaveLength(1);
  expect(svg).not.toMatch(/NaN|undefined/);
});
