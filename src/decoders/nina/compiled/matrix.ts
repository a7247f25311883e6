/**
 * The little float64 linear algebra that folding needs. Rows are vectors, as everywhere in the flow: y = x W, so a
 * weight that is stored [out, in] becomes a matrix [in, out]. Rounded to float32 once, when nothing more is multiplied.
 */
import type { NDArray } from '../../../tensor/tree.ts';

export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** Row-major. */
  readonly data: Float64Array;
}

export function matrix(rows: number, columns: number, at: (i: number, j: number) => number): Matrix {
  const data = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) data[i * columns + j] = at(i, j);
  return { rows, columns, data };
}

/** Member `k` of a stack of weights [..., out, in] as [in, out]. */
export function fromWeight({ shape, data }: NDArray, k = 0): Matrix {
  const [out, width] = shape.slice(-2) as [number, number];
  const start = k * out * width;
  return matrix(width, out, (i, j) => data[start + j * width + i]);
}

/** Member `k` of a stack of vectors of `width` numbers, as one row. */
export function fromVector({ data }: NDArray, width: number, k = 0): Matrix {
  return { rows: 1, columns: width, data: Float64Array.from(data.subarray(k * width, (k + 1) * width)) };
}

/** a b. Four rows of b at a time: the loop is bound by loads and stores of the result. */
export function multiply(a: Matrix, b: Matrix): Matrix {
  if (a.columns !== b.rows)
    throw new Error(`Cannot multiply [${a.rows}, ${a.columns}] by [${b.rows}, ${b.columns}]: the inner sizes differ.`);
  const [n, width] = [a.columns, b.columns];
  const data = new Float64Array(a.rows * width);
  for (let i = 0; i < a.rows; i++) {
    const row = data.subarray(i * width, (i + 1) * width);
    let k = 0;
    for (; k + 4 <= n; k += 4) {
      const [from, at] = [i * n + k, k * width];
      const [f0, f1, f2, f3] = [a.data[from], a.data[from + 1], a.data[from + 2], a.data[from + 3]];
      for (let j = 0; j < width; j++)
        row[j] +=
          f0 * b.data[at + j] +
          f1 * b.data[at + width + j] +
          f2 * b.data[at + 2 * width + j] +
          f3 * b.data[at + 3 * width + j];
    }
    for (; k < n; k++) for (let j = 0; j < width; j++) row[j] += a.data[i * n + k] * b.data[k * width + j];
  }
  return { rows: a.rows, columns: width, data };
}

export function plus(a: Matrix, ...others: readonly Matrix[]): Matrix {
  return { ...a, data: a.data.map((v, at) => others.reduce((sum, { data }) => sum + data[at], v)) };
}

/** Row i times factors[i]. */
export function scaleRows(a: Matrix, factors: ArrayLike<number>): Matrix {
  return matrix(a.rows, a.columns, (i, j) => a.data[i * a.columns + j] * factors[i]);
}

/** Columns [from, to). */
export function columns(a: Matrix, from: number, to: number): Matrix {
  return matrix(a.rows, to - from, (i, j) => a.data[i * a.columns + from + j]);
}

/** Column j of the result is column order[j]. */
export function takeColumns(a: Matrix, order: readonly number[]): Matrix {
  return matrix(a.rows, order.length, (i, j) => a.data[i * a.columns + order[j]]);
}

/** Side by side. */
export function beside(...parts: readonly Matrix[]): Matrix {
  const rows = parts[0].rows;
  const width = parts.reduce((n, p) => n + p.columns, 0);
  const data = new Float64Array(rows * width);
  let at = 0;
  for (const part of parts) {
    for (let i = 0; i < rows; i++)
      data.set(part.data.subarray(i * part.columns, (i + 1) * part.columns), i * width + at);
    at += part.columns;
  }
  return { rows, columns: width, data };
}

/**
 * Every row minus its mean: what writes to a vector that is only ever read through LayerNorm may write it centred, and
 * the norm finds a mean of zero.
 */
export function centred(a: Matrix): Matrix {
  const means = Float64Array.from({ length: a.rows }, (_, i) => {
    const row = a.data.subarray(i * a.columns, (i + 1) * a.columns);
    return row.reduce((sum, v) => sum + v, 0) / a.columns;
  });
  return matrix(a.rows, a.columns, (i, j) => a.data[i * a.columns + j] - means[i]);
}

/** y = x W + b in float32. W [inputs, outputs], row-major: a row per input. */
export interface Affine {
  readonly inputs: number;
  readonly outputs: number;
  readonly weight: Float32Array;
  /** [outputs]; absent for zeros. */
  readonly bias?: Float32Array;
}

/** The one rounding. */
export function toAffine({ rows, columns, data }: Matrix, bias?: Matrix): Affine {
  return {
    inputs: rows,
    outputs: columns,
    weight: Float32Array.from(data),
    ...(bias && { bias: Float32Array.from(bias.data) }),
  };
}
