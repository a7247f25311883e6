import { describe, expect, test } from 'vitest';
import { key } from '../../random.ts';
import { SAMPLING_TYPES, sampleTimes } from './index.ts';

const N = 20_000;
/** The Kolmogorov-Smirnov distance that one in a million samples of N exceeds is about 2.7 / sqrt(N). */
const DISTANCE = 2.7 / Math.sqrt(N);

const logit = (t: number) => Math.log(t / (1 - t));
/** The standard normal distribution function, within 1e-7 (Abramowitz and Stegun 26.2.17). */
function normal(x: number): number {
  const k = 1 / (1 + 0.2316419 * Math.abs(x));
  const tail =
    (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) *
    k *
    (0.31938153 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))));
  return x > 0 ? 1 - tail : tail;
}

const distribution = {
  uniform: (t: number) => t,
  ln: (t: number) => normal(logit(t)),
  pi_zero: (t: number) => t ** 1.5,
};

describe.each(SAMPLING_TYPES)('%s', (type) => {
  test('follows its distribution below 1', () => {
    const times = sampleTimes(key(1), type, N).sort();
    expect(times[0]).toBeGreaterThanOrEqual(0);
    expect(times.at(-1)).toBeLessThan(1);
    times.forEach((t, i) => {
      if (t < 0.9989) expect(Math.abs(distribution[type](t) - i / N)).toBeLessThan(DISTANCE);
    });
  });

  test('is a function of its key', () => {
    expect(sampleTimes(key(2), type, 5)).toEqual(sampleTimes(key(2), type, 5));
    expect(sampleTimes(key(2), type, 5)).not.toEqual(sampleTimes(key(3), type, 5));
  });
});

test('uniform spreads one draw over the batch', () => {
  const times = [...sampleTimes(key(4), 'uniform', 8)].sort((a, b) => a - b);
  times.slice(1).forEach((t, i) => {
    expect(t - times[i]).toBeCloseTo(1 / 8, 4);
  });
});
