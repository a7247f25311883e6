import { expect, test } from 'vitest';
import { measureInterleaved, summary } from './measure.ts';

test('a summary has the smallest time, the middle and what 99% did not exceed', () => {
  const times = Array.from({ length: 101 }, (_, i) => 100 - i);
  expect(summary(times)).toEqual({ runs: 101, min_ms: 0, median_ms: 50, p99_ms: 99 });
  expect(summary([3])).toEqual({ runs: 1, min_ms: 3, median_ms: 3, p99_ms: 3 });
});

test('contestants run in turns, after their warm-up, and every round begins with another', async () => {
  const order: string[] = [];
  const contestants = ['a', 'b', 'c'].map((name) => ({ name, run: () => order.push(name) }));
  const timings = await measureInterleaved(contestants, { warmup: 2, rounds: 3 });
  expect(order.join('')).toBe('aabbcc' + 'abc' + 'bca' + 'cab');
  expect(timings.map(({ name, runs }) => `${name}${runs}`)).toEqual(['a3', 'b3', 'c3']);
});

test('a turn of some length begins with a run that does not count and has at least one that does', async () => {
  const runs = { a: 0, b: 0 };
  const contestants = (['a', 'b'] as const).map((name) => ({
    name,
    run: () => {
      runs[name]++;
    },
  }));
  const [a, b] = await measureInterleaved(contestants, { warmup: 0, rounds: 2, turnMs: 5 });
  expect(a.runs).toBe(runs.a - 2);
  expect(b.runs).toBe(runs.b - 2);
  expect(Math.min(a.runs, b.runs)).toBeGreaterThanOrEqual(2);
});
