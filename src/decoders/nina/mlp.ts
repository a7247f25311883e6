/**
 * The MLP conditioner: two perceptrons, one for the scale and one for the shift, on (first half of the scalars, condition).
 *
 * The two nets are twins and run as a stack of two. Their first layer is split into the part that sees x1 and the part
 * that sees the condition: the latter needs nothing of the flow, so it is one product for all layers at once.
 */

import type { Conditioner } from '../../flows/index.ts';
import { type Hidden, hidden, initHidden, initLinear, type Linear, linear } from '../../nn/index.ts';
import { fold, type Key } from '../../random.ts';
import { add, matmul, reshape, type Spec, split, type Tensor } from '../../tensor/index.ts';
import type { NinaConfig } from './config.ts';

/** n layers, D = T*A scalars; the axis of 2 is (scale, shift). */
export type MlpParams<T> = {
  /** First layers on the condition: weight [2n, H, C], bias [2n, 1, H]; the pair of layer i at 2i. */
  readonly cond: Linear<T>;
  readonly layers: readonly {
    /** First layer on x1: [2, H, D/2]. */
    readonly first: T;
    /** Stacks of 2, H to H and H to D/2. */
    readonly hidden: readonly Hidden<T>[];
  }[];
};

export function initMlpConditioners(
  key: Key,
  { n_layers, affine_dim, cond_dim, chunk_length, action_dim }: NinaConfig,
): MlpParams<Spec> {
  const half = (chunk_length * action_dim) / 2;
  const fanIn = half + cond_dim;
  return {
    cond: initLinear(fold(key, 'cond'), cond_dim, affine_dim, [2 * n_layers], fanIn),
    layers: Array.from({ length: n_layers }, (_, i) => ({
      first: initLinear(fold(key, i, 'first'), half, affine_dim, [2], fanIn).weight,
      hidden: initHidden(fold(key, i), [affine_dim, affine_dim, half], [2]),
    })),
  };
}

/** cond [B, C] to one conditioner per layer, [B, D/2] to s and t [B, D/2]. */
export function mlpConditioners(p: MlpParams<Tensor>, cond: Tensor): Conditioner[] {
  const projected = split(
    linear(p.cond, cond),
    0,
    p.layers.map(() => 2),
  );
  return p.layers.map((layer, i) => (x1) => {
    const first = add(matmul(x1, layer.first, { transB: true }), projected[i]); // [2, B, H]
    const [s, t] = split(hidden(layer.hidden, first), 0, [1, 1]); // each [1, B, D/2]
    return [reshape(s, s.shape.slice(1)), reshape(t, t.shape.slice(1))];
  });
}
