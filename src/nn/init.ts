/**
 * Initial values, as PyTorch's defaults, so that a network of ours starts where the reference's does.
 * Every parameter has its own key: the same key gives the same numbers, whatever else is drawn, and in whatever order.
 */
import { type Key, rng } from '../random.ts';
import type { Shape, Spec } from '../tensor/index.ts';

const count = (shape: Shape) => shape.reduce((a, b) => a * b, 1);

/** Uniform in [-bound, bound). */
export function uniform(key: Key, shape: Shape, bound: number, { decay = true }: { decay?: boolean } = {}): Spec {
  const draw = () => {
    const r = rng(key);
    const data = new Float32Array(count(shape));
    // A plain loop: large decoders have tens of millions of these.
    for (let i = 0; i < data.length; i++) data[i] = r.uniform(-bound, bound);
    return data;
  };
  return { shape, decay, draw };
}

/** One value everywhere: biases and norms, which do not decay unless told. */
export function filled(shape: Shape, value: number, { decay = false }: { decay?: boolean } = {}): Spec {
  return { shape, decay, draw: () => new Float32Array(count(shape)).fill(value) };
}
