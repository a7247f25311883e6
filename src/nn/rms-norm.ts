/**
 * Root-mean-square normalisation (Zhang and Sennrich, arXiv 1910.07467) over the last axis: no mean, no bias.
 */
import { add, div, mean, mul, sqrt, square, type Tensor } from '../tensor/index.ts';

export type RmsNorm<T> = { readonly weight: T };

/** x / sqrt(mean(x^2) + eps) * weight for x [..., width]; the weight [width], or any shape that broadcasts to x. */
export function rmsNorm({ weight }: RmsNorm<Tensor>, x: Tensor, eps = 1e-6): Tensor {
  const size = sqrt(add(mean(square(x), [-1], { keepDims: true }), eps));
  return mul(div(x, size), weight);
}
