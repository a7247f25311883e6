/**
 * Layer normalisation (Ba et al., arXiv 1607.06450) over the last axis, eps 1e-5 as PyTorch.
 */
import { layerNorm as normalise, type Shape, type Spec, type Tensor } from '../tensor/index.ts';
import { filled } from './init.ts';

/** Both [width] when alone, [...stack, 1, width] in a stack. */
export type Norm<T> = { readonly weight: T; readonly bias: T };

/** Weights of 1 and biases of 0, without weight decay. */
export function initNorm(width: number, stack: Shape = []): Norm<Spec> {
  const shape = stack.length > 0 ? [...stack, 1, width] : [width];
  return { weight: filled(shape, 1), bias: filled(shape, 0) };
}

/** x [..., width], same shape out. */
export function layerNorm({ weight, bias }: Norm<Tensor>, x: Tensor): Tensor {
  return normalise(x, weight, bias);
}
