/**
 * The training loop: update, measure, save. A run stopped anywhere and resumed computes the same bits as one that never
 * stopped, because all that carries over is in state.safetensors and all that is random follows from the seed and the step.
 */
import { NinaError } from '../errors.ts';
import type { Lock } from '../lock.ts';
import type { TrainConfig } from './config.ts';
import { divergedAdvice, resume } from './failure.ts';
import { openMeter } from './meter.ts';
import { appendMetrics, type Metrics, readMetrics, truncateMetrics } from './metrics.ts';
import { isRun, noteChanges, writeRecipe } from './run.ts';
import type { Start } from './start.ts';
import type { Sums } from './state.ts';
import type { Update } from './update.ts';
import type { ValidationMetrics } from './validation.ts';

export interface TrainResult {
  readonly steps: number;
  /** Directory of the last checkpoint. */
  readonly checkpoint: string;
  /** The last line of metrics, with the final validation. */
  readonly metrics: Metrics | undefined;
}

/** What the loop works with, and whom it tells. */
export interface LoopOptions {
  readonly lock: Lock;
  readonly update: Update;
  /** Both of the averaged weights as they are now. */
  validate(): Promise<ValidationMetrics>;
  saveNow(step: number, sums: Sums): Promise<string>;
  tell(step: number, note: string): void;
  readonly signal: AbortSignal | undefined;
  notice(text: string): void;
}

/** Updates, from where the run is, up to `max_steps`. */
export async function runUpdates(
  run: string,
  config: TrainConfig,
  start: Pick<Start, 'step' | 'sums'>,
  { lock, update, validate, saveNow, tell, signal, notice }: LoopOptions,
): Promise<TrainResult> {
  const { max_steps, validate_every, log_every, checkpoint_every } = config.training;
  let { step } = start;
  const meter = openMeter(start.sums);
  let last: Metrics | undefined;
  let begun = false;
  // After the first update is known to fit into memory the folder holds a run; bad data or settings leave no trace.
  const begin = () => {
    begun = true;
    lock.check();
    if (isRun(run)) for (const change of noteChanges(run, config)) notice(change);
    else writeRecipe(run, config);
    truncateMetrics(run, step);
    last = readMetrics(run).at(-1);
  };
  if (step === max_steps) begin();
  let saves = false;
  while (step < max_steps) {
    const startMs = performance.now();
    const measured = await update.measure(step);
    if (measured.diverged)
      throw new NinaError(`Training diverged at step ${step}: ${measured.diverged} ${divergedAdvice(run)}`);
    const measureMs = performance.now() - startMs;
    if (!begun) begin();
    // Only weights whose next loss is sound are saved: the last checkpoint is always a good one.
    if (saves) {
      const checkpoint = await saveNow(step, meter.sums);
      if (signal?.aborted)
        throw new NinaError(
          `Stopped after step ${step} of ${max_steps}; saved ${checkpoint}. Go on with: ${resume(run)}`,
        );
    }
    const applyMs = performance.now();
    const learningRate = await update.apply(step);
    step++;
    meter.add(measured, measureMs + performance.now() - applyMs);
    tell(step, meter.note(measured));

    const validates = step === max_steps || step % validate_every === 0;
    if (validates || step % log_every === 0) {
      last = { ...meter.line(step, learningRate), ...(validates && (await validate())) };
      if (!Number.isFinite(last.val_loss ?? 0))
        throw new NinaError(
          `Training diverged at step ${step}: held-out loss ${last.val_loss}. ${divergedAdvice(run)}`,
        );
      lock.check();
      appendMetrics(run, last);
    }
    // The runtime blocks the event loop: let signals in.
    await new Promise(setImmediate);
    saves = signal?.aborted || step % checkpoint_every === 0;
  }
  return { steps: step, checkpoint: await saveNow(step, meter.sums), metrics: last };
}
