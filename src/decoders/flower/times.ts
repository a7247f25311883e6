/**
 * The times t at which training asks for the velocity: 0 is the action, 1 the noise.
 *
 * The reference accepts five samplers by name and raises in the last two. Those are here what their names say: a uniform
 * draw with one point in each of B equal intervals, and a noise-to-signal ratio t / (1 - t) that is log-logistic with
 * median 1 and shape 1/2 (the shape that Crowson's k-diffusion uses, about the middle of the line).
 */
import { exp, log, pow } from '../../math.ts';
import { type Key, rng } from '../../random.ts';
import type { FlowerConfig } from './config.ts';

/** Below 1, where the line is nothing but noise. */
const LAST_TIME = 0.999;
const LOG_LOGISTIC_SCALE = 0.5;

const sigmoid = (x: number) => 1 / (1 + exp(-x));

/** B times in [0, 1), one for each chunk of a batch. */
export function sampleTimes(key: Key, type: FlowerConfig['sampling_type'], B: number): Float32Array {
  const r = rng(key);
  const shared = r.uniform();
  const draw: Record<typeof type, (i: number) => number> = {
    // One u for the batch: evenly spread over the line, and each time uniform.
    uniform: (i) => (shared + i / B) % (1 - 1e-5),
    ln: () => Math.min(sigmoid(r.normal()), LAST_TIME),
    // Beta(1.5, 1), whose distribution function is t^1.5.
    pi_zero: () => Math.min(pow(r.uniform(), 1 / 1.5), LAST_TIME),
    stratified: (i) => Math.min((i + r.uniform()) / B, LAST_TIME),
    loglogistic: () => {
      const u = r.uniform();
      return Math.min(sigmoid(LOG_LOGISTIC_SCALE * log(u / (1 - u))), LAST_TIME);
    },
  };
  return Float32Array.from({ length: B }, (_, i) => draw[type](i));
}
