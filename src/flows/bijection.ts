/**
 * The contract of every flow: an invertible map of vectors whose log-determinant is known in both directions.
 *
 * A bijection here has its parameters and its condition already bound, so it is two functions of one tensor and
 * everything else (chains, flips, densities, samples) is derived. Forward is data -> noise, inverse is noise -> data.
 */
import { add, scalar, type Tensor } from '../tensor/index.ts';

/** The image [B, D] and log |det dy/dx|: [B], or any shape that broadcasts to it when all rows share the value. */
export type Mapped = readonly [y: Tensor, logDet: Tensor];

export interface Bijection {
  /** x [B, D] to noise. */
  forward(x: Tensor): Mapped;
  /** y [B, D] to data; its logDet is minus the forward one at the same point. */
  inverse(y: Tensor): Mapped;
}

/** The parts one after another, first to last towards noise. */
export function chain(parts: readonly Bijection[]): Bijection {
  const run = (start: Tensor, steps: readonly ((x: Tensor) => Mapped)[]): Mapped => {
    let [y, total]: Mapped = [start, scalar(0)];
    for (const step of steps) {
      const [next, logDet] = step(y);
      [y, total] = [next, add(total, logDet)];
    }
    return [y, total];
  };
  return {
    forward: (x) =>
      run(
        x,
        parts.map((p) => p.forward),
      ),
    inverse: (y) =>
      run(
        y,
        [...parts].reverse().map((p) => p.inverse),
      ),
  };
}

/** The same map read the other way. */
export function flip({ forward, inverse }: Bijection): Bijection {
  return { forward: inverse, inverse: forward };
}
