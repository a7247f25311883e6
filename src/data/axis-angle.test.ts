import fc from 'fast-check';
import { expect, test } from 'vitest';
import { axisAngleFromQuaternion, quaternionFromAxisAngle } from './axis-angle.ts';

/** A few float64 roundings. */
const FLOAT64_ROUNDING = 1e-9;

const component = fc.double({ min: -1, max: 1, noNaN: true });
const rotation = fc
  .tuple(component, component, component, component)
  .filter((q) => Math.hypot(...q) > 0.1)
  .map((q) => q.map((x) => x / Math.hypot(...q)));

test('axis-angle and back is the same rotation', () => {
  fc.assert(
    fc.property(rotation, (q) => {
      const back = quaternionFromAxisAngle(axisAngleFromQuaternion(q));
      const dot = back.reduce((sum, x, i) => sum + x * q[i], 0);
      expect(Math.abs(Math.abs(dot) - 1)).toBeLessThan(FLOAT64_ROUNDING);
    }),
  );
  expect(axisAngleFromQuaternion([1, 0, 0, 0])).toEqual([0, 0, 0]);
  expect(quaternionFromAxisAngle([0, 0, 0])).toEqual([1, 0, 0, 0]);
});
