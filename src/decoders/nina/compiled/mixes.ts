/**
 * What lies between two couplings, in both directions: a permutation of the D scalars and, with PLU, a matrix. Neighbours
 * are one matrix. Coupling i maps u_i to v_i, and
 *   u_0 = x[order_0],  u_{i+1} = v_i M_i,  z = v_{n-1} M_{n-1},
 * where M_i is W_i with its columns in the order of permutation i + 1 (W_i = 1 without PLU, no permutation after the last).
 */

import { invertTriangles } from '../../../flows/lu.ts';
import type { PluParams } from '../../../flows/plu.ts';
import { log } from '../../../math.ts';
import type { NDArray } from '../../../tensor/tree.ts';
import type { NinaConfig } from '../config.ts';
import type { Buffers } from '../nina.ts';
import { type Affine, type Matrix, matrix, multiply, takeColumns, toAffine } from './matrix.ts';

/** y = x M, or y[j] = x[order[j]]. */
export type Mix = { readonly matrix: Affine } | { readonly order: readonly number[] };

/** One way through the flow: mix, couple, mix, couple, ..., finish. */
export interface Direction {
  readonly steps: readonly {
    /** Whose conditioner. */
    readonly layer: number;
    readonly mix: Mix;
  }[];
  readonly finish: Mix;
}

export interface Mixes {
  /** Noise to actions; couplings inverted. */
  readonly sample: Direction;
  /** Actions to noise. */
  readonly logProb: Direction;
  /** log |det| of all matrices, data to noise: the sum of log |s|. */
  readonly logDet: number;
}

/** @throws Error if an entry of s is zero. */
export function foldMixes(config: NinaConfig, plu: PluParams<NDArray> | undefined, buffers: Buffers): Mixes {
  const n = config.n_layers;
  const D = config.chunk_length * config.action_dim;
  const orders = Array.from({ length: n }, (_, i) => scalarOrder(config, buffer(buffers, `permutation.${i}`)));
  const last = Array.from({ length: D }, (_, j) => j);
  const after = orders.map((_, i) => orders[i + 1] ?? last);
  const forward = (i: number): Mix =>
    plu
      ? { matrix: toAffine(takeColumns(pluMatrix(plu, buffer(buffers, `plu.${i}`), i, D), after[i])) }
      : { order: after[i] };
  const backward = (i: number): Mix =>
    plu
      ? { matrix: toAffine(pluInverse(plu, buffer(buffers, `plu.${i}`), after[i], i, D)) }
      : { order: inverse(after[i]) };
  const layers = orders.map((_, i) => i);
  return {
    sample: {
      steps: layers.toReversed().map((i) => ({ layer: i, mix: backward(i) })),
      finish: { order: inverse(orders[0]) },
    },
    logProb: {
      steps: layers.map((i) => ({ layer: i, mix: i === 0 ? { order: orders[0] } : forward(i - 1) })),
      finish: forward(n - 1),
    },
    logDet: plu ? plu.s.data.reduce((sum, s) => sum + log(Math.abs(s)), 0) : 0,
  };
}

function buffer(buffers: Buffers, name: string): readonly number[] {
  const found = buffers[name];
  if (!found) throw new Error(`The decoder has no buffer ${name}; it has ${Object.keys(buffers).join(', ')}.`);
  return found;
}

/** Of the D scalars: a permutation of time steps (trans) moves the scalars of a step together. */
function scalarOrder({ backbone, action_dim: A }: NinaConfig, order: readonly number[]): readonly number[] {
  return backbone === 'mlp' ? order : order.flatMap((t) => Array.from({ length: A }, (_, a) => t * A + a));
}

function inverse(order: readonly number[]): number[] {
  const back = new Array<number>(order.length);
  order.forEach((from, to) => {
    back[from] = to;
  });
  return back;
}

const part = ({ data }: NDArray, size: number, i: number) => data.subarray(i * size, (i + 1) * size);

/** W = P L (U + diag s) of layer i; (P L)[r] = L[rows[r]]. */
function pluMatrix({ s, L, U }: PluParams<NDArray>, rows: readonly number[], i: number, D: number): Matrix {
  const [diagonal, lower, upper] = [part(s, D, i), part(L, D * D, i), part(U, D * D, i)];
  const triangle = (r: number, c: number) => (r === c ? 1 : r > c ? lower[r * D + c] : 0);
  return multiply(
    matrix(D, D, (r, c) => triangle(rows[r], c)),
    matrix(D, D, (r, c) => (r === c ? diagonal[c] : r < c ? upper[r * D + c] : 0)),
  );
}

/** (W with its columns in `order`)^-1 = the rows, in that order, of (L (U + diag s))^-1 P^T. */
function pluInverse(
  { s, L, U }: PluParams<NDArray>,
  rows: readonly number[],
  order: readonly number[],
  i: number,
  D: number,
): Matrix {
  const triangles = invertTriangles(part(L, D * D, i), part(U, D * D, i), part(s, D, i), D);
  return matrix(D, D, (r, c) => triangles[order[r] * D + rows[c]]);
}
