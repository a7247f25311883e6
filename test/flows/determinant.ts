/** log |det| by Gaussian elimination with partial pivoting, in float64. Independent of the code under test. */
export function logAbsDeterminant(matrix: readonly (readonly number[])[]): number {
  const m = matrix.map((row) => [...row]);
  const n = m.length;
  let total = 0;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(m[i][k]) > Math.abs(m[pivot][k])) pivot = i;
    [m[k], m[pivot]] = [m[pivot], m[k]];
    total += Math.log(Math.abs(m[k][k]));
    for (let i = k + 1; i < n; i++) {
      const factor = m[i][k] / m[k][k];
      for (let j = k; j < n; j++) m[i][j] -= factor * m[k][j];
    }
  }
  return total;
}
