/** The affine layer y = x W^T + b, with PyTorch's parameter names and default initialisation. */
import { fold, type Key, rng } from '../random.ts';
import { linear as affine, type NDArray, type Tensor } from '../tensor/index.ts';

/** weight [out, in], bias [out]. */
export interface Linear<P> {
  readonly weight: P;
  readonly bias: P;
}

/** Uniform in +-1/sqrt(inputs), weight and bias alike. */
export function initLinear(key: Key, inputs: number, outputs: number): Linear<NDArray> {
  return {
    weight: uniform(fold(key, 'weight'), [outputs, inputs], 1 / Math.sqrt(inputs)),
    bias: uniform(fold(key, 'bias'), [outputs], 1 / Math.sqrt(inputs)),
  };
}

/** x [..., in] -> [..., out]. */
export function linear(p: Linear<Tensor>, x: Tensor): Tensor {
  return affine(x, p.weight, p.bias);
}

/** An array of independent uniforms in [-bound, bound). */
export function uniform(key: Key, shape: readonly number[], bound: number): NDArray {
  const r = rng(key);
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < data.length; i++) data[i] = r.uniform(-bound, bound);
  return { shape, data };
}
