/**
 * A fixed reordering of the entries, so that successive couplings transform different halves.
 */
import { gather, scalar } from '../tensor/index.ts';
import type { Bijection } from './bijection.ts';

/** y[j] = x[order[j]]; volume preserving. */
export function permutation(order: readonly number[]): Bijection {
  const back = invert(order);
  return {
    forward: (x) => [gather(x, 1, order), scalar(0)],
    inverse: (y) => [gather(y, 1, back), scalar(0)],
  };
}

/** Whether `order` holds each of 0..n-1 once. */
export function isPermutation(order: readonly number[]): boolean {
  const seen = new Set(order);
  return seen.size === order.length && order.every((i) => Number.isInteger(i) && i >= 0 && i < order.length);
}

/** The order that undoes `order`. @throws Error if it does not hold each of 0..n-1 once. */
export function invert(order: readonly number[]): number[] {
  const back = new Array<number>(order.length).fill(-1);
  order.forEach((from, to) => {
    if (back[from] !== -1)
      // undefined when out of range
      throw new Error(
        `A permutation of ${order.length} entries needs each of 0..${order.length - 1} once; got [${order}].`,
      );
    back[from] = to;
  });
  return back;
}
