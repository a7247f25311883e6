/** What a line of metrics is made of: sums over the updates since the last one, and the time that those of this process took. */
import type { Metrics } from './metrics.ts';
import type { Sums } from './state.ts';
import type { Measured } from './update.ts';

/** Means over some updates. */
export type Line = Pick<Metrics, 'step' | 'loss' | 'grad_norm' | 'lr' | 'steps_per_s'>;

export interface Meter {
  /** What a run that goes on elsewhere must know. */
  readonly sums: Sums;
  /** One more update, and how long it took. */
  add(measured: Measured, ms: number): void;
  /** For people, of the last update. */
  note(measured: Measured): string;
  /** The means since the last line, after `step` updates; the next line begins anew. */
  line(step: number, learningRate: number): Line;
}

export const NO_SUMS: Sums = { steps: 0, loss: 0, gradNorm: 0 };

export function openMeter(start: Sums): Meter {
  let sums = start;
  // Apart from the sums: a resumed run goes on with those, and times its own updates.
  let clock = { steps: 0, ms: 0 };
  const stepsPerS = () => (1000 * clock.steps) / clock.ms;
  return {
    get sums() {
      return sums;
    },
    add({ loss, gradNorm }, ms) {
      sums = { steps: sums.steps + 1, loss: sums.loss + loss, gradNorm: sums.gradNorm + gradNorm };
      clock = { steps: clock.steps + 1, ms: clock.ms + ms };
    },
    note: ({ loss, gradNorm }) =>
      `loss ${loss.toPrecision(4)}, |g| ${gradNorm.toPrecision(3)}, ${stepsPerS().toFixed(1)} steps/s`,
    line(step, learningRate) {
      const { steps, loss, gradNorm } = sums;
      const means = {
        step,
        loss: loss / steps,
        grad_norm: gradNorm / steps,
        lr: learningRate,
        steps_per_s: stepsPerS(),
      };
      sums = NO_SUMS;
      clock = { steps: 0, ms: 0 };
      return means;
    },
  };
}
