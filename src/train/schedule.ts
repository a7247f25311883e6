/**
 * What changes with the step number alone: the learning rate and the EMA's decay. Both are pure functions of the
 * step, so a resumed run needs no scheduler state.
 */
import { cos, pow } from '../math.ts';
export interface Schedule {
  /** Peak learning rate. */
  readonly learningRate: number;
  /** Steps over which the three stages stretch; the rate is constant afterwards. */
  readonly steps: number;
  readonly warmupFraction: number;
  readonly holdFraction: number;
  /** Rate at step 0 and after the last stage, as multiples of the peak. */
  readonly initialScale: number;
  readonly finalScale: number;
}

/**
 * Tri-stage rate: linear warm-up from `initialScale`, hold, cosine to `finalScale`, then constant.
 * `step` counts updates from 0; the very first update is already warmed (the reference runs it at the peak).
 */
export function learningRateAt(step: number, s: Schedule): number {
  const warmup = s.warmupFraction * s.steps;
  const decayStart = (s.warmupFraction + s.holdFraction) * s.steps;
  if (step < warmup) return s.learningRate * (s.initialScale + (1 - s.initialScale) * (step / warmup));
  if (step < decayStart) return s.learningRate;
  const progress = step < s.steps ? (step - decayStart) / (s.steps - decayStart) : 1;
  return s.learningRate * (s.finalScale + (1 - s.finalScale) * 0.5 * (1 + cos(Math.PI * progress)));
}

/** decay(step) = clamp(1 - (1 + step)^(-2/3), 0, 0.9999): the average covers a growing part of the run. */
export function emaDecayAt(step: number): number {
  return Math.min(0.9999, Math.max(0, 1 - pow(1 + step, -2 / 3)));
}
