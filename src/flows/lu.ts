/**
 * Dense linear algebra in float64 for the PLU layer: its initial value and its inverse. Matrices are row-major.
 */
import { NinaError } from '../errors.ts';
import { type Key, rng } from '../random.ts';

/** A uniformly (Haar) random orthogonal n x n matrix: Gram-Schmidt, twice for orthogonality to rounding, on normal rows. */
export function randomOrthogonal(key: Key, n: number): Float64Array {
  const r = rng(key);
  const q = Float64Array.from({ length: n * n }, () => r.normal());
  for (let i = 0; i < n; i++) {
    const row = q.subarray(i * n, (i + 1) * n);
    for (let pass = 0; pass < 2; pass++)
      for (let j = 0; j < i; j++) {
        const other = q.subarray(j * n, (j + 1) * n);
        const along = dot(row, other);
        for (let c = 0; c < n; c++) row[c] -= along * other[c];
      }
    const scale = 1 / Math.sqrt(dot(row, row));
    for (let c = 0; c < n; c++) row[c] *= scale;
  }
  return q;
}

function dot(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
}

/** LU factors of a matrix A with row exchanges: (P A')[i] = A'[rows[i]] for A' = L U. */
export interface Factors {
  /** Unit lower triangular below the diagonal, upper triangular on and above it, in one matrix. */
  readonly lu: Float64Array;
  /** A[i] = (L U)[rows[i]]. */
  readonly rows: number[];
}

/** Gaussian elimination with partial pivoting. @throws Error if the matrix is singular. */
export function factorise(matrix: Float64Array, n: number): Factors {
  const lu = matrix.slice();
  // order[i]: which row of the input is now row i.
  const order = Array.from({ length: n }, (_, i) => i);
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(lu[i * n + k]) > Math.abs(lu[pivot * n + k])) pivot = i;
    if (lu[pivot * n + k] === 0) throw new Error(`Cannot factorise a singular ${n} x ${n} matrix (column ${k}).`);
    if (pivot !== k) {
      const row = lu.slice(k * n, (k + 1) * n);
      lu.copyWithin(k * n, pivot * n, (pivot + 1) * n);
      lu.set(row, pivot * n);
      [order[k], order[pivot]] = [order[pivot], order[k]];
    }
    for (let i = k + 1; i < n; i++) {
      const factor = lu[i * n + k] / lu[k * n + k];
      lu[i * n + k] = factor;
      for (let j = k + 1; j < n; j++) lu[i * n + j] -= factor * lu[k * n + j];
    }
  }
  const rows = new Array<number>(n);
  order.forEach((from, to) => {
    rows[from] = to;
  });
  return { lu, rows };
}

/**
 * (L (U + diag s))^-1 by triangular solves, where only the strict triangles of L and U are read.
 * @throws Error if an entry of s is zero.
 */
export function invertTriangles(
  L: ArrayLike<number>,
  U: ArrayLike<number>,
  s: ArrayLike<number>,
  n: number,
): Float64Array {
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    if (s[i] === 0)
      throw new NinaError(`The PLU layer is singular: entry ${i} of its diagonal s is 0. Its weights are damaged.`);
    inverse[i * n + i] = 1;
  }
  // All right-hand sides at once: row operations on the identity.
  const eliminate = (i: number, j: number, factor: number) => {
    if (factor !== 0) for (let c = 0; c < n; c++) inverse[i * n + c] -= factor * inverse[j * n + c];
  };
  for (let i = 1; i < n; i++) for (let j = 0; j < i; j++) eliminate(i, j, L[i * n + j]);
  for (let i = n - 1; i >= 0; i--) {
    for (let j = i + 1; j < n; j++) eliminate(i, j, U[i * n + j]);
    for (let c = 0; c < n; c++) inverse[i * n + c] /= s[i];
  }
  return inverse;
}
