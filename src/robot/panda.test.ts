import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PANDA, stateSize, writeProprio } from './index.ts';

/** A few float64 roundings, then one to float32. */
const FLOAT32_ROUNDING = 1e-6;

test('position, the first two columns of the rotation matrix, fingers', () => {
  const out = new Float32Array(13);
  const half = Math.SQRT1_2;
  // 90 degrees about x: x stays, y becomes z.
  writeProprio([1, 2, 3], [half, half, 0, 0], [0.25, -0.25], out, 1);
  const wanted = [0, 1, 2, 3, 1, 0, 0, 0, 0, 1, 0.25, -0.25, 0];
  wanted.forEach((x, i) => {
    expect(Math.abs(out[i] - x), `entry ${i}`).toBeLessThan(FLOAT32_ROUNDING);
  });
});

const component = fc.double({ min: -1, max: 1, noNaN: true });
const rotation = fc
  .tuple(component, component, component, component)
  .filter((q) => Math.hypot(...q) > 0.1)
  .map((q) => q.map((x) => x / Math.hypot(...q)));

test('the columns are what Rodrigues says of x and y', () => {
  fc.assert(
    fc.property(rotation, (q) => {
      const out = new Float32Array(stateSize(PANDA));
      writeProprio([0, 0, 0], q, [0, 0], out);
      const angle = 2 * Math.atan2(Math.hypot(...q.slice(1)), q[0]);
      const sine = Math.hypot(...q.slice(1));
      const axis = sine > 0 ? q.slice(1).map((x) => x / sine) : [0, 0, 1];
      for (const [column, unit] of [
        [3, [1, 0, 0]],
        [6, [0, 1, 0]],
      ] as const) {
        const along = axis.reduce((sum, a, i) => sum + a * unit[i], 0);
        const cross = [0, 1, 2].map(
          (i) => axis[(i + 1) % 3] * unit[(i + 2) % 3] - axis[(i + 2) % 3] * unit[(i + 1) % 3],
        );
        for (let i = 0; i < 3; i++) {
          const turned =
            unit[i] * Math.cos(angle) + cross[i] * Math.sin(angle) + axis[i] * along * (1 - Math.cos(angle));
          expect(Math.abs(out[column + i] - turned)).toBeLessThan(FLOAT32_ROUNDING);
        }
      }
    }),
  );
});
