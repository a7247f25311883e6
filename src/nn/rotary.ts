/**
 * Rotary position embedding (Su et al., arXiv 2104.09864), half-split: number j of the first half of a head and number
 * j of the second are a point in the plane, turned by the angle position * theta^(-2j / depth). Dot products of turned
 * queries and keys then depend on their distance alone.
 */
import { cos, pow, sin } from '../math.ts';
import { add, concat, constant, mul, split, type Tensor } from '../tensor/index.ts';

/**
 * x [..., S, depth], turned by its position on the second last axis; same shape out.
 * @throws Error if the depth is odd.
 */
export function rotary(x: Tensor, theta: number): Tensor {
  const [tokens, depth] = x.shape.slice(-2) as [number, number];
  const half = depth / 2;
  if (!Number.isInteger(half))
    throw new Error(`Rotary embedding turns pairs of numbers: it needs an even depth; got ${depth}.`);
  const angle = (i: number) => Math.floor(i / depth) * pow(theta, (-2 * (i % half)) / depth);
  const table = (f: (i: number) => number) =>
    constant(
      Float32Array.from({ length: tokens * depth }, (_, i) => f(i)),
      [tokens, depth],
    );
  const cosine = table((i) => cos(angle(i)));
  const signedSine = table((i) => (i % depth < half ? -1 : 1) * sin(angle(i)));
  const [first, second] = split(x, -1, [half, half]);
  return add(mul(x, cosine), mul(concat([second, first], -1), signedSine));
}
