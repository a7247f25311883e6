/**
 * Initial values, as PyTorch's defaults, so that a network of ours starts where the reference's does.
 * Every draw takes its key: the same key gives the same weights, whatever else was initialised before.
 */
import { type Key, rng } from '../random.ts';
import type { NDArray, Shape } from '../tensor/index.ts';

const count = (shape: Shape) => shape.reduce((a, b) => a * b, 1);

/** Uniform in [-bound, bound). */
export function uniform(key: Key, shape: Shape, bound: number): NDArray {
  const r = rng(key);
  const data = new Float32Array(count(shape));
  // A plain loop: large decoders have tens of millions of these.
  for (let i = 0; i < data.length; i++) data[i] = r.uniform(-bound, bound);
  return { shape, data };
}

export function filled(shape: Shape, value: number): NDArray {
  return { shape, data: new Float32Array(count(shape)).fill(value) };
}
