import fc from 'fast-check';
import { expect, test } from 'vitest';
import { key } from '../random.ts';
import { splitEpisodes } from './split.ts';
import { windows, writeChunk } from './windows.ts';

const episodes = fc.array(
  fc.integer({ min: 1, max: 40 }).map((length) => ({
    length,
    actions: Float32Array.from({ length: length * 7 }, (_, i) => Math.fround(Math.sin(i) / 2)),
  })),
  { minLength: 1, maxLength: 6 },
);

test('one window starts at every step; a chunk is the recorded actions, then rest with the last gripper', () => {
  fc.assert(
    fc.property(episodes, fc.integer({ min: 1, max: 16 }), (all, T) => {
      const list = windows(all);
      expect(list).toHaveLength(all.reduce((n, e) => n + e.length, 0));
      expect(new Set(list.map((w) => `${w.episode} ${w.start}`)).size).toBe(list.length);
      const guard = 3;
      const out = new Float32Array(guard + T * 7 + guard).fill(99);
      for (const { episode, start } of list) {
        const { actions, length } = all[episode];
        writeChunk(all[episode], start, T, out, guard);
        for (let t = 0; t < T; t++) {
          const row = [...out.subarray(guard + t * 7, guard + t * 7 + 7)];
          if (start + t < length) expect(row).toEqual([...actions.subarray((start + t) * 7, (start + t) * 7 + 7)]);
          else expect(row).toEqual([0, 0, 0, 0, 0, 0, actions.at(-1)]);
        }
        expect([...out.subarray(0, guard), ...out.subarray(-guard)]).toEqual(Array(2 * guard).fill(99));
      }
    }),
    { numRuns: 50 },
  );
});

test('a split parts the episodes, the same for the same key', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 60 }), fc.double({ min: 0.01, max: 0.99, noNaN: true }), (n, fraction) => {
      const all = Array.from({ length: n }, (_, i) => i);
      const { train, validation } = splitEpisodes(all, fraction, key(1));
      expect([...train, ...validation].sort((a, b) => a - b)).toEqual(all);
      expect(train.length).toBeGreaterThan(0);
      expect(validation.length).toBeGreaterThan(0);
      expect(Math.abs(validation.length - fraction * n)).toBeLessThanOrEqual(1);
      expect(splitEpisodes(all, fraction, key(1))).toEqual({ train, validation });
    }),
  );
  const all = Array.from({ length: 100 }, (_, i) => i);
  expect(splitEpisodes(all, 0.1, key(1)).validation).not.toEqual(splitEpisodes(all, 0.1, key(2)).validation);
  expect(() => splitEpisodes([1], 0.1, key(1))).toThrow(/at least 2 episodes; got 1/);
});
