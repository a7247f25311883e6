/**
 * Densities and samples of a flow: a standard normal base pulled through a bijection,
 *   log p(x) = log N(f(x); 0, I) + log |det df/dx|.
 * Noise is an argument: the same noise gives the same sample. Zero noise gives the image of the mode.
 */
import * as math from '../math.ts';
import { add, broadcastTo, mul, square, sub, sum, type Tensor } from '../tensor/index.ts';
import type { Bijection } from './bijection.ts';

/** log N(z; 0, I) of each row of z [B, D]: [B], in nats. */
export function standardNormal(z: Tensor): Tensor {
  const D = z.shape[1];
  return mul(add(sum(square(z), [1]), D * math.log(2 * Math.PI)), -0.5);
}

/** The noise of x [B, D] and its log-determinant [B]. */
export function encode(flow: Bijection, x: Tensor): [z: Tensor, logDet: Tensor] {
  return perRow(flow.forward(x));
}

/** The data of z [B, D] and its log-determinant [B]. */
export function decode(flow: Bijection, z: Tensor): [x: Tensor, logDet: Tensor] {
  return perRow(flow.inverse(z));
}

/** log p(x) of each row of x [B, D]: [B], in nats. */
export function logProb(flow: Bijection, x: Tensor): Tensor {
  const [z, logDet] = encode(flow, x);
  return add(standardNormal(z), logDet);
}

/** Samples [B, D] from standard normal noise [B, D]; the temperature scales the noise, 0 gives the image of the mode. */
export function sample(flow: Bijection, noise: Tensor, temperature: Tensor | number = 1): Tensor {
  return flow.inverse(mul(noise, temperature))[0];
}

/** Samples and their log p(x) under the flow itself (at temperature 1, whatever they were drawn at), without a second pass. */
export function sampleAndLogProb(
  flow: Bijection,
  noise: Tensor,
  temperature: Tensor | number = 1,
): [x: Tensor, logProb: Tensor] {
  const z = mul(noise, temperature);
  const [x, logDet] = decode(flow, z);
  return [x, sub(standardNormal(z), logDet)];
}

function perRow([y, logDet]: readonly [Tensor, Tensor]): [Tensor, Tensor] {
  return [y, broadcastTo(logDet, [y.shape[0]])];
}
