import { expect, test } from 'vitest';
import { type ChartSpec, renderSvg } from './vega.ts';

const spec: ChartSpec = {
  width: 200,
  height: 100,
  data: {
    values: [
      { model: 'flow & co', ms: 0.5, success: 0.9 },
      { model: 'diffusion', ms: 40, success: 0.8 },
    ],
  },
  mark: { type: 'point', clip: true },
  encoding: {
    x: { field: 'ms', type: 'quantitative', scale: { type: 'log' } },
    y: { field: 'success', type: 'quantitative' },
    color: { field: 'model', type: 'nominal' },
  },
};

test('a chart is a self-contained SVG that holds its data', async () => {
  const svg = await renderSvg(spec);
  expect(svg).toMatch(/^<svg[^>]*>/);
  expect(svg).toMatch(/<\/svg>\n$/);
  expect(svg).toContain('flow &amp; co');
  expect(svg).not.toMatch(/NaN|undefined|<script|<image|href="http/);
});

test('the same chart gives the same bytes, whatever was drawn before', async () => {
  const first = await renderSvg(spec);
  const [, again] = await Promise.all([renderSvg({ ...spec, width: 300 }), renderSvg(spec)]);
  expect(again).toBe(first);
});
