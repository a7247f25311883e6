/**
 * The gated perceptron SwiGLU (Shazeer, arXiv 2002.05202): proj(silu(fc1 x) * fc2 x), without biases.
 */
import { linear, mul, silu, type Tensor } from '../tensor/index.ts';
import { type Dropout, noDropout } from './dropout.ts';

/** fc1, fc2 [hidden, width]; proj [width, hidden]. */
export type SwiGlu<T> = {
  readonly fc1: { readonly weight: T };
  readonly fc2: { readonly weight: T };
  readonly proj: { readonly weight: T };
};

/** Two thirds of the usual 4 x width, as there are three matrices for two, up to a multiple of 256. */
export function swigluHidden(width: number): number {
  return Math.ceil(Math.floor((8 * width) / 3) / 256) * 256;
}

/** x [..., width], same shape out; dropout on the hidden layer. */
export function swiglu({ fc1, fc2, proj }: SwiGlu<Tensor>, x: Tensor, dropout: Dropout = noDropout): Tensor {
  return linear(dropout(mul(silu(linear(x, fc1.weight)), linear(x, fc2.weight))), proj.weight);
}
