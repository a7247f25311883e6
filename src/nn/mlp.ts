/**
 * The perceptron of the reference: Linear, then (LayerNorm, GELU, Linear) as often as there are hidden layers.
 */
import { fold, type Key } from '../random.ts';
import { gelu, type Shape, type Spec, type Tensor } from '../tensor/index.ts';
import { initLinear, type Linear, linear } from './linear.ts';
import { initNorm, layerNorm, type Norm } from './norm.ts';

/** What follows the first layer: each hidden layer is normalised, bent and mapped to the next. */
export type Hidden<T> = { readonly norm: Norm<T>; readonly linear: Linear<T> };

export type Mlp<T> = { readonly first: Linear<T>; readonly hidden: readonly Hidden<T>[] };

/** widths: input, hidden..., output. With `stack`, that many twins run in one batched product. */
export function initMlp(key: Key, widths: readonly number[], stack: Shape = []): Mlp<Spec> {
  return {
    first: initLinear(fold(key, 0), widths[0], widths[1], stack),
    hidden: initHidden(key, widths.slice(1), stack),
  };
}

/** widths: hidden..., output. */
export function initHidden(key: Key, widths: readonly number[], stack: Shape = []): Hidden<Spec>[] {
  return widths.slice(1).map((out, i) => ({
    norm: initNorm(widths[i], stack),
    linear: initLinear(fold(key, i + 1), widths[i], out, stack),
  }));
}

/** x [..., in] to [..., out]. */
export function mlp(p: Mlp<Tensor>, x: Tensor): Tensor {
  return hidden(p.hidden, linear(p.first, x));
}

/** From the first layer's output h [..., H] to [..., out]. */
export function hidden(layers: readonly Hidden<Tensor>[], h: Tensor): Tensor {
  return layers.reduce((x, p) => linear(p.linear, gelu(layerNorm(p.norm, x))), h);
}
