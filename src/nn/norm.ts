/** Layer normalisation over the last axis with a learned scale and shift. */
import { layerNorm, type NDArray, type Tensor } from '../tensor/index.ts';

/** weight [E], bias [E]. */
export interface Norm<P> {
  readonly weight: P;
  readonly bias: P;
}

export function initNorm(size: number): Norm<NDArray> {
  return {
    weight: { shape: [size], data: new Float32Array(size).fill(1) },
    bias: { shape: [size], data: new Float32Array(size) },
  };
}

/** x [..., E] -> [..., E]. */
export function norm(p: Norm<Tensor>, x: Tensor): Tensor {
  return layerNorm(x, p.weight, p.bias);
}
