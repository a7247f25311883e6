/**
 * Affine coupling (RealNVP, Dinh et al., arXiv 1605.08803) with the scale bounded by tanh: the first half passes
 * unchanged and decides how the second half is scaled and shifted,
 *   y1 = x1,  y2 = x2 exp(tanh(s)) + t,  (s, t) = conditioner(x1),  log det = sum tanh(s).
 */
import { add, concat, exp, mul, neg, split, sub, sum, type Tensor, tanh } from '../tensor/index.ts';
import type { Bijection } from './bijection.ts';

/** x1 [B, floor(D/2)] to the raw scale s and the shift t, each [B, ceil(D/2)]. Any function will do: it is never inverted. */
export type Conditioner = (x1: Tensor) => readonly [s: Tensor, t: Tensor];

/** The coupling of x [B, D] with that conditioner; what it learns is inside the conditioner. */
export function coupling(conditioner: Conditioner): Bijection {
  return {
    forward(x) {
      const [x1, x2] = halves(x);
      const [s, t] = conditioner(x1);
      const logScale = tanh(s);
      return [concat([x1, add(mul(x2, exp(logScale)), t)], 1), sum(logScale, [1])];
    },
    inverse(y) {
      const [y1, y2] = halves(y);
      const [s, t] = conditioner(y1);
      const logScale = tanh(s);
      return [concat([y1, mul(sub(y2, t), exp(neg(logScale)))], 1), neg(sum(logScale, [1]))];
    },
  };
}

function halves(x: Tensor): [Tensor, Tensor] {
  const width = x.shape[1];
  const first = Math.floor(width / 2);
  return split(x, 1, [first, width - first]) as [Tensor, Tensor];
}
