/**
 * RealNVP as NinA uses it: [Permutation, AffineCoupling, PLU] x n, or [Permutation, AffineCoupling] x n.
 */
import type { NDArray, Tensor } from '../tensor/index.ts';
import { type Bijection, chain } from './bijection.ts';
import { type Conditioner, coupling } from './coupling.ts';
import { permutation } from './permutation.ts';
import { type PluOrders, type PluParams, pluInverses, pluStack } from './plu.ts';

/** The linear maps of a RealNVP: parameters, P of each layer as row indices, and the inverses if it will be inverted. */
export interface Plu {
  readonly params: PluParams<Tensor>;
  readonly rows: readonly (readonly number[])[];
  readonly inverses?: Tensor;
}

/**
 * One permutation of D entries and one conditioner per layer.
 *
 * PLU i and permutation i + 1 are neighbours and both linear: the PLU's matrix gets its columns in the order that the
 * next layer wants, and the permutation costs nothing.
 */
export function realNvp(
  permutations: readonly (readonly number[])[],
  conditioners: readonly Conditioner[],
  plu?: Plu,
): Bijection {
  const couplings = conditioners.map(coupling);
  if (!plu) return chain(couplings.flatMap((c, i) => [permutation(permutations[i]), c]));
  const linear = pluStack(plu.params, permutedOrders(permutations, plu.rows), plu.inverses);
  return chain([permutation(permutations[0]), ...couplings.flatMap((c, i) => [c, linear[i]])]);
}

/** The matrices that `realNvp` needs as `inverses` [n, D, D]. */
export function realNvpInverses(
  permutations: readonly (readonly number[])[],
  params: PluParams<NDArray>,
  rows: readonly (readonly number[])[],
): NDArray {
  return pluInverses(params, permutedOrders(permutations, rows));
}

function permutedOrders(permutations: readonly (readonly number[])[], rows: readonly (readonly number[])[]): PluOrders {
  const identity = permutations[0].map((_, i) => i);
  return { rows, columns: permutations.map((_, i) => permutations[i + 1] ?? identity) };
}
