import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { invertPositive } from './cholesky.ts';
import {
  matrixFromAxisAngle,
  multiply,
  quaternionFromMatrix,
  quaternionFromYaw,
  rotate,
  wrap,
  yawOf,
} from './rotation.ts';
import type { Vec3 } from './types.ts';

/** Double rounding over a few dozen operations on numbers near 1. */
const ROUNDING = 1e-12;
const angle = fc.double({ min: -3, max: 3, noNaN: true });
const vector = fc.tuple(angle, angle, angle);

function apply(m: ArrayLike<number>, [x, y, z]: Vec3): Vec3 {
  return [0, 3, 6].map((r) => m[r] * x + m[r + 1] * y + m[r + 2] * z) as unknown as Vec3;
}

function expectClose(a: ArrayLike<number>, b: ArrayLike<number>, tolerance = ROUNDING): void {
  for (let i = 0; i < b.length; i++) expect(Math.abs(a[i] - b[i])).toBeLessThan(tolerance);
}

describe('rotations', () => {
  it('turns x into y by a quarter turn about z', () => {
    const m = matrixFromAxisAngle([0, 0, Math.PI / 2], new Float64Array(9));
    expectClose(apply(m, [1, 0, 0]), [0, 1, 0]);
    expectClose(rotate(quaternionFromYaw(Math.PI / 2), [1, 0, 0]), [0, 1, 0]);
  });

  it('agrees between matrix and quaternion, for any rotation', () => {
    fc.assert(
      fc.property(vector, vector, (v, point) => {
        const m = matrixFromAxisAngle(v, new Float64Array(9));
        expectClose(rotate(quaternionFromMatrix(m), point), apply(m, point), 1e-10);
      }),
    );
  });

  it('undoes a rotation by the opposite one', () => {
    fc.assert(
      fc.property(vector, (v) => {
        const forth = matrixFromAxisAngle(v, new Float64Array(9));
        const back = matrixFromAxisAngle([-v[0], -v[1], -v[2]], new Float64Array(9));
        expectClose(multiply(forth, back, new Float64Array(9)), [1, 0, 0, 0, 1, 0, 0, 0, 1]);
      }),
    );
  });

  it('reads back a yaw', () => {
    fc.assert(fc.property(angle, (yaw) => expectClose([yawOf(quaternionFromYaw(yaw))], [yaw])));
  });

  it('wraps to within half a period', () => {
    expect(wrap(3 * Math.PI, Math.PI)).toBeCloseTo(0);
    expect(wrap(0.6 * Math.PI, Math.PI)).toBeCloseTo(-0.4 * Math.PI);
  });
});

describe('inverse of a positive definite matrix', () => {
  it('times the matrix is the identity', () => {
    const entries = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 49, maxLength: 49 });
    fc.assert(
      fc.property(entries, (b) => {
        const n = 7;
        // B B' + I is positive definite with eigenvalues of at least 1.
        const a = new Float64Array(n * n);
        for (let i = 0; i < n; i++)
          for (let j = 0; j < n; j++) {
            a[i * n + j] = i === j ? 1 : 0;
            for (let k = 0; k < n; k++) a[i * n + j] += b[i * n + k] * b[j * n + k];
          }
        const inverse = invertPositive(a, n, new Float64Array(n * n), new Float64Array(n * n));
        for (let i = 0; i < n; i++)
          for (let j = 0; j < n; j++) {
            let sum = 0;
            for (let k = 0; k < n; k++) sum += a[i * n + k] * inverse[k * n + j];
            expect(Math.abs(sum - (i === j ? 1 : 0))).toBeLessThan(1e-9);
          }
      }),
    );
  });
});
