import fc from 'fast-check';
import { expect, test } from 'vitest';
import { key } from '../random.ts';
import { actionSize, BIMANUAL, PANDA, type Robot, SIX_JOINT_ARM } from '../robot/index.ts';
import { splitEpisodes } from './split.ts';
import { windows, writeChunk } from './windows.ts';

const episodesOf = (robot: Robot) =>
  fc.array(
    fc.integer({ min: 1, max: 40 }).map((length) => ({
      robot,
      length,
      actions: Float32Array.from({ length: length * actionSize(robot) }, (_, i) => Math.fround(Math.sin(i) / 2)),
    })),
    { minLength: 1, maxLength: 6 },
  );

test.each([
  ['then zero motion with the last gripper command', PANDA, (last: number[]) => [0, 0, 0, 0, 0, 0, last[6]]],
  ['then the last joint targets', SIX_JOINT_ARM, (last: number[]) => last],
  ['then the last targets of both arms', BIMANUAL, (last: number[]) => last],
])('one window starts at every step; a chunk is the recorded actions, %s', (_, robot, rest) => {
  const A = actionSize(robot);
  fc.assert(
    fc.property(episodesOf(robot), fc.integer({ min: 1, max: 16 }), (all, T) => {
      const list = windows(all);
      expect(list).toHaveLength(all.reduce((n, e) => n + e.length, 0));
      expect(new Set(list.map((w) => `${w.episode} ${w.start}`)).size).toBe(list.length);
      const guard = 3;
      const out = new Float32Array(guard + T * A + guard).fill(99);
      for (const { episode, start } of list) {
        const { actions, length } = all[episode];
        writeChunk(all[episode], start, out.subarray(guard, guard + T * A));
        for (let t = 0; t < T; t++) {
          const row = [...out.subarray(guard + t * A, guard + t * A + A)];
          if (start + t < length) expect(row).toEqual([...actions.subarray((start + t) * A, (start + t) * A + A)]);
          else expect(row).toEqual(rest([...actions.subarray(-A)]));
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
