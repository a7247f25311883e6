import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { rateOf } from '../../src/reproduce/results.ts';
import { summaryOf } from '../../src/reproduce/summary.ts';
import { countText, differenceText, markdown, spreadText, successText } from '../../src/reproduce/tables.ts';
import { difference } from '../../src/statistics/index.ts';
import { lineOf, PLAN } from './synthetic.ts';

/** Newcombe prints four digits. */
const PRINTED = 4;

test.each([
  // Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 10.
  [56, 70, 48, 80, 0.0524, 0.3339],
  [9, 10, 3, 10, 0.1705, 0.809],
  [6, 7, 2, 7, 0.0582, 0.8062],
  [5, 56, 0, 29, -0.0381, 0.1926],
  [0, 10, 0, 20, -0.1611, 0.2775],
  [10, 10, 0, 20, 0.6791, 1],
])('difference of %d/%d and %d/%d as published', (a, m, b, n, low, high) => {
  const { interval } = difference(rateOf({ successes: a, n: m }), rateOf({ successes: b, n }));
  expect(interval[0]).toBeCloseTo(low, PRINTED);
  expect(interval[1]).toBeCloseTo(high, PRINTED);
});

const count = fc
  .tuple(fc.nat(60), fc.nat(60))
  .map(([a, b]) => rateOf({ successes: Math.min(a, b), n: Math.max(a, b, 1) }));

/** Rounding of a sum of squares. */
const EPSILON = 1e-12;

test('an interval holds its difference, stays within [-1, 1], and turns round with it', () => {
  fc.assert(
    fc.property(count, count, (a, b) => {
      const { rate, interval } = difference(a, b);
      expect(interval[0]).toBeLessThanOrEqual(rate);
      expect(interval[1]).toBeGreaterThanOrEqual(rate);
      expect(Math.max(...interval.map(Math.abs))).toBeLessThanOrEqual(1 + EPSILON);
      const back = difference(b, a);
      expect(back.interval[0]).toBeCloseTo(-interval[1], 12);
    }),
  );
});

test('rollouts are pooled over seeds, and over the suites of whole seeds', () => {
  const lines = [
    lineOf({ suite: 'tabletop-object', variant: 'flow', seed: 0, successes: 9 }),
    lineOf({ suite: 'tabletop-object', variant: 'flow', seed: 1, successes: 7 }),
    lineOf({ suite: 'tabletop-goal', variant: 'flow', seed: 0, successes: 5 }),
    lineOf({ suite: 'tabletop-object', variant: 'diffusion', seed: 0, successes: 8 }),
    lineOf({ suite: 'tabletop-goal', variant: 'diffusion', seed: 0, successes: 8 }),
  ];
  const summary = summaryOf(PLAN, lines);
  const [flow, diffusion] = summary.variants;
  const object = flow.suites[0].result!;
  expect(object).toMatchObject({ successes: 16, n: 20, success_rate: 0.8, seeds: [{ seed: 0 }, { seed: 1 }] });
  // Seed 1 has no goal yet, and diffusion no seed 1.
  expect(flow.average).toMatchObject({ successes: 14, n: 20, seeds: [{ seed: 0, successes: 14, n: 20 }] });
  expect(object.difference!.rate).toBeCloseTo(0.1, 12);
  expect(flow.average!.difference!.rate).toBeCloseTo(-0.1, 12);
  expect(diffusion.average!.difference).toBeNull();
  expect(summary).toMatchObject({ finished: 5, cells: 8 });
  expect(markdown(summary)).toContain('5 of 8 cells are finished.');
});

test('a variant without cells has no numbers, and one that is the baseline has no difference to it', () => {
  const base = { suite: 'tabletop-object', seed: 0, successes: 8, hash: 'same' };
  const lines = [lineOf({ ...base, variant: 'diffusion' }), lineOf({ ...base, variant: 'flow' })];
  const plan = { ...PLAN, suites: ['tabletop-object'] };
  expect(summaryOf(plan, lines).variants[0].average!.difference).toBeNull();
  const [flow] = summaryOf(plan, []).variants;
  expect(flow).toMatchObject({ average: null, suites: [{ result: null }], parameters: null, latency_ms: null });
  expect(markdown(summaryOf(plan, []))).not.toMatch(/NaN|undefined|null/);
});

test('medians and means over cells', () => {
  const lines = [1, 2, 9].map((value, seed) =>
    lineOf({ suite: 'tabletop-object', variant: 'flow', seed, successes: 1, latencyMs: value, metric: value }),
  );
  const [flow] = summaryOf({ ...PLAN, suites: ['tabletop-object'] }, lines).variants;
  expect(flow).toMatchObject({ latency_ms: 2, metrics: { val_bits_per_dim: 4 } });
});

test('numbers as people read them', () => {
  const rate = rateOf({ successes: 39, n: 40 });
  const seeds = [0.95, 1].map((success_rate, seed) => ({ seed, successes: 0, n: 20, success_rate }));
  const pooled = { ...rate, seeds, difference: { rate: -0.0125, interval: [-0.1, 0.05] as const } };
  expect(successText(pooled)).toBe('97.5 [87.1, 99.6]');
  expect(differenceText(pooled)).toBe('-1.3 [-10.0, +5.0]');
  expect(spreadText(pooled)).toBe('95.0 – 100.0');
  expect(countText(pooled)).toBe('40');
  expect([successText(null), differenceText(null), spreadText(null), countText(null)]).toEqual(['–', '–', '–', '–']);
});
