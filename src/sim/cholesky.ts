/** The inverse of a small symmetric positive definite matrix, without allocation. */

/** Keeps the factor finite where rounding makes a pivot vanish (a singular pose of the arm). */
const SMALLEST_PIVOT = 1e-12;

/**
 * out = a^-1 by the Cholesky factorisation a = L L'.
 * @param a [n, n] row-major
 * @param factor scratch, at least [n, n]
 */
export function invertPositive(a: Float64Array, n: number, out: Float64Array, factor: Float64Array): Float64Array {
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let s = a[i * n + j];
      for (let k = 0; k < j; k++) s -= factor[i * n + k] * factor[j * n + k];
      factor[i * n + j] = i === j ? Math.sqrt(Math.max(s, SMALLEST_PIVOT)) : s / factor[j * n + j];
    }
  for (let c = 0; c < n; c++) {
    for (let i = 0; i < n; i++) {
      let s = i === c ? 1 : 0;
      for (let k = 0; k < i; k++) s -= factor[i * n + k] * out[k * n + c];
      out[i * n + c] = s / factor[i * n + i];
    }
    for (let i = n - 1; i >= 0; i--) {
      let s = out[i * n + c];
      for (let k = i + 1; k < n; k++) s -= factor[k * n + i] * out[k * n + c];
      out[i * n + c] = s / factor[i * n + i];
    }
  }
  return out;
}
