/**
 * A linear layer right after a layer normalisation. With n the normalised x, W (n * g + b) + c = (W diag(g)) n + (W b + c): the
 * norm's own parameters can change the layer's instead of every row, forward and backward.
 */
import { add, linear, matmul, mul, layerNorm as normalise, reshape, size, type Tensor } from '../tensor/index.ts';
import type { Linear } from './linear.ts';
import { layerNorm, type Norm } from './norm.ts';

/** Rows of x per row of the weight from which that is less work. */
const MANY = 8;

/** x [..., in] to [..., out] with a weight [out, in]: the layer of the norm of x. */
export function normedLinear(norm: Norm<Tensor>, { weight, bias }: Linear<Tensor>, x: Tensor): Tensor {
  const [out, width] = weight.shape;
  if (size(x.shape) / width < MANY * out) return linear(layerNorm(norm, x), weight, bias);
  const shift = reshape(matmul(reshape(norm.bias, [1, width]), weight, { transB: true }), [out]);
  return linear(normalise(x), mul(weight, norm.weight), add(bias, shift));
}
