/**
 * The affine layer y = x W^T + b, alone or as a stack of equal layers that run in one batched product.
 */
import { fold, type Key } from '../random.ts';
import { add, matmul, linear as product, type Shape, type Spec, type Tensor } from '../tensor/index.ts';
import { uniform } from './init.ts';

/** weight [...stack, out, in]; bias [out] when alone, [...stack, 1, out] in a stack. */
export type Linear<T> = { readonly weight: T; readonly bias: T };

/** PyTorch's default: weight and bias uniform in +-1/sqrt(fanIn); `fanIn` is told when the layer is a part of a wider one. */
export function initLinear(key: Key, width: number, out: number, stack: Shape = [], fanIn = width): Linear<Spec> {
  const bound = 1 / Math.sqrt(fanIn);
  return {
    weight: uniform(fold(key, 'weight'), [...stack, out, width], bound),
    bias: uniform(fold(key, 'bias'), stack.length > 0 ? [...stack, 1, out] : [out], bound, { decay: false }),
  };
}

/** x [..., in] to [..., out]; a stack maps x [B, in], or one x per member [...stack, B, in], to [...stack, B, out]. */
export function linear({ weight, bias }: Linear<Tensor>, x: Tensor): Tensor {
  return weight.shape.length === 2 ? product(x, weight, bias) : add(matmul(x, weight, { transB: true }), bias);
}
