/**
 * The times t at which training asks for the velocity: 0 is the action, 1 the noise.
 *
 * The reference's three samplers; two more that it accepts by name raise there when they are drawn from.
 */
import { exp, pow } from '../../math.ts';
import { type Key, rng } from '../../random.ts';
import type { FlowerConfig } from './config.ts';

/** Below 1, where the line is nothing but noise. */
const LAST_TIME = 0.999;

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
  };
  return Float32Array.from({ length: B }, (_, i) => draw[type](i));
}
