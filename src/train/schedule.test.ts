import fc from 'fast-check';
import { expect, test } from 'vitest';
import { emaDecayAt, learningRateAt, type Schedule } from './schedule.ts';

const reference: Schedule = {
  learningRate: 2e-5,
  steps: 50_000,
  warmupFraction: 0.05,
  holdFraction: 0.1,
  initialScale: 0.1,
  finalScale: 0.5,
};

test('the reference recipe at its landmarks', () => {
  const at = (step: number) => learningRateAt(step, reference) / 2e-5;
  expect(at(0)).toBeCloseTo(0.1, 12);
  expect(at(1250)).toBeCloseTo(0.55, 12);
  expect(at(2500)).toBe(1);
  expect(at(7499)).toBe(1);
  expect(at(28_750)).toBeCloseTo(0.75, 12);
  expect(at(50_000)).toBeCloseTo(0.5, 12);
  expect(at(1_000_000)).toBeCloseTo(0.5, 12);
});

test('the rate stays in (0, peak], rises, holds, then never rises', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), fc.double({ min: 0, max: 0.5, noNaN: true }), (steps, warm) => {
      const s = { ...reference, steps, warmupFraction: warm };
      let previous = 0;
      for (let step = 0; step < steps + 5; step++) {
        const rate = learningRateAt(step, s);
        expect(rate).toBeGreaterThan(0);
        expect(rate).toBeLessThanOrEqual(s.learningRate);
        if (step < warm * steps) expect(rate).toBeGreaterThan(previous);
        else if (step > warm * steps + 1) expect(rate).toBeLessThanOrEqual(previous);
        previous = rate;
      }
    }),
    { numRuns: 20 },
  );
});

test('a schedule without warm-up starts at the peak', () => {
  expect(learningRateAt(0, { ...reference, warmupFraction: 0 })).toBe(2e-5);
});

test('EMA decay: the first average is the weights themselves, the last is capped', () => {
  expect(emaDecayAt(0)).toBe(0);
  expect(emaDecayAt(7)).toBeCloseTo(0.75, 12);
  expect(emaDecayAt(1e9)).toBe(0.9999);
});
