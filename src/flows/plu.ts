/**
 * Invertible linear maps as PLU products (Glow, Kingma & Dhariwal, arXiv 1807.03039), rows as vectors:
 *   z = x W,  W = P L (U + diag s),  L unit lower triangular, U strictly upper,  log det = sum log |s|.
 *
 * The maps of all layers of a flow are one stack [n, D, D] and are multiplied out together. A single layer is a stack
 * of one. The inverse is a product with W^-1, which `pluInverses` finds in float64 from the parameters: a graph has no
 * triangular solve, and float32 would lose what couplings cannot bring back.
 */
import { fold, type Key } from '../random.ts';
import {
  abs,
  add,
  constant,
  gather,
  log,
  matmul,
  mul,
  type NDArray,
  neg,
  reshape,
  type Spec,
  split,
  sum,
  type Tensor,
} from '../tensor/index.ts';
import type { Bijection } from './bijection.ts';
import { factorise, invertTriangles, randomOrthogonal } from './lu.ts';

/** s [n, D]; L and U [n, D, D], of which only the strict lower and upper triangles count. */
export type PluParams<T> = { readonly s: T; readonly L: T; readonly U: T };

/** The fixed permutations around the triangles. Identity where not given. */
export interface PluOrders {
  /** Per layer, P as row indices: (P L)[i] = L[rows[i]]. */
  readonly rows: readonly (readonly number[])[];
  /** Per layer, an order in which z is wanted: column j of the result is column columns[j] of W. */
  readonly columns?: readonly (readonly number[])[];
}

/**
 * LU factors of n random orthogonal D x D matrices. `rows(layer)` are the P of a layer. Factors belong together, so they
 * are found once, when the first of them is asked for.
 */
export function initPlu(key: Key, n: number, D: number): { params: PluParams<Spec>; rows(layer: number): number[] } {
  let known: ReturnType<typeof drawFactors> | undefined;
  const factors = () => {
    known ??= drawFactors(key, n, D);
    return known;
  };
  const square = [n, D, D];
  return {
    params: {
      // Pulled to zero, the diagonal would make the map singular: it does not decay.
      s: { shape: [n, D], decay: false, draw: () => factors().s.slice() },
      L: { shape: square, decay: true, draw: () => factors().L.slice() },
      U: { shape: square, decay: true, draw: () => factors().U.slice() },
    },
    rows: (layer) => [...factors().rows[layer]],
  };
}

function drawFactors(key: Key, n: number, D: number) {
  const s = new Float32Array(n * D);
  const L = new Float32Array(n * D * D);
  const U = new Float32Array(n * D * D);
  const rows: number[][] = [];
  for (let layer = 0; layer < n; layer++) {
    const factors = factorise(randomOrthogonal(fold(key, layer), D), D);
    rows.push(factors.rows);
    factors.lu.forEach((value, at) => {
      const [i, j] = [Math.floor(at / D), at % D];
      if (i === j) s[layer * D + i] = value;
      else (i > j ? L : U)[layer * D * D + at] = value;
    });
  }
  return { s, L, U, rows };
}

/** The n linear maps as bijections; `inverses` [n, D, D] is what `pluInverses` returned, needed only to invert. */
export function pluStack(p: PluParams<Tensor>, orders: PluOrders, inverses?: Tensor): Bijection[] {
  const [n, D] = p.s.shape as [number, number];
  const ones = Array<number>(n).fill(1);
  const each = (stack: Tensor) => split(stack, 0, ones).map((W) => reshape(W, [D, D]));
  const lower = add(
    mul(
      p.L,
      triangle(D, (i, j) => i > j),
    ),
    triangle(D, (i, j) => i === j),
  );
  const diagonal = mul(
    reshape(p.s, [n, 1, D]),
    triangle(D, (i, j) => i === j),
  );
  const upper = add(
    mul(
      p.U,
      triangle(D, (i, j) => i < j),
    ),
    diagonal,
  );
  // Transposed, a reordering of columns moves whole rows.
  const transposed = matmul(upper, takeRows(lower, orders.rows), { transA: true, transB: true });
  const matrices = each(orders.columns ? takeRows(transposed, orders.columns) : transposed);
  const logDets = split(sum(log(abs(p.s)), [1]), 0, ones);
  const backwards = inverses && each(inverses);
  return matrices.map((transposedW, i) => ({
    forward: (x) => [matmul(x, transposedW, { transB: true }), logDets[i]],
    inverse(z) {
      if (!backwards)
        throw new Error(
          'Inverting a PLU layer needs its inverse matrices; compute them with pluInverses and pass them.',
        );
      return [matmul(z, backwards[i]), neg(logDets[i])];
    },
  }));
}

/** W^-1 of every layer [n, D, D], with the orders of `pluStack`, in float64 until the last rounding. */
export function pluInverses(p: PluParams<NDArray>, { rows, columns }: PluOrders): NDArray {
  const [n, D] = p.s.shape as [number, number];
  const out = new Float32Array(n * D * D);
  for (let layer = 0; layer < n; layer++) {
    const part = ({ data }: NDArray, size: number) => data.subarray(layer * size, (layer + 1) * size);
    const inverse = invertTriangles(part(p.L, D * D), part(p.U, D * D), part(p.s, D), D);
    // (P L U')^-1 = (L U')^-1 P^T: column j of the result is column rows[j] of the triangles' inverse.
    const order = columns?.[layer];
    for (let i = 0; i < D; i++)
      for (let j = 0; j < D; j++) out[(layer * D + i) * D + j] = inverse[(order ? order[i] : i) * D + rows[layer][j]];
  }
  return { shape: [n, D, D], data: out };
}

/** The rows of each matrix of a stack [n, D, D] in that layer's order: one gather. */
function takeRows(stack: Tensor, orders: readonly (readonly number[])[]): Tensor {
  const [n, D] = stack.shape as [number, number, number];
  const flat = orders.flatMap((order, layer) => order.map((i) => layer * D + i));
  return reshape(gather(reshape(stack, [n * D, D]), 0, flat), stack.shape);
}

/** A constant [D, D] of ones where `here` holds. */
function triangle(D: number, here: (i: number, j: number) => boolean): Tensor {
  return constant(
    Array.from({ length: D * D }, (_, at) => (here(Math.floor(at / D), at % D) ? 1 : 0)),
    [D, D],
  );
}
