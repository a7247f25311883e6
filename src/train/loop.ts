/**
 * The training loop: update, measure, save. A run stopped anywhere and resumed computes the same bits as one that never
 * stopped, because all that carries over is in state.safetensors and all that is random follows from the seed and the step.
 */
import { NinaError } from '../errors.ts';
import type { TrainingSettings } from './config.ts';
import { type Line, openMeter } from './meter.ts';
import type { Sums } from './state.ts';
import type { Update } from './update.ts';

/** What was recorded of some updates, and what a validation found if there was one. */
export type Recorded<V> = Line & Partial<V>;

/** @typeParam V what a validation finds */
export interface LoopResult<V> {
  readonly steps: number;
  /** Directory of the last checkpoint. */
  readonly checkpoint: string;
  /** The last line of metrics, with the final validation. */
  readonly metrics: Recorded<V> | undefined;
}

/** What the loop works with, and whom it tells. */
export interface LoopOptions<V> {
  readonly settings: Pick<TrainingSettings, 'max_steps' | 'validate_every' | 'log_every' | 'checkpoint_every'>;
  /** Where the run is. */
  readonly start: { readonly step: number; readonly sums: Sums };
  readonly update: Update;
  /**
   * Makes the folder a run that has done the start's steps: called before anything else is written, once the first update is
   * known to fit into memory, so that bad data or settings leave no trace.
   * @returns the last line that is recorded
   */
  begin(): Recorded<V> | undefined;
  /** Of the averaged weights as they are now. */
  validate(): Promise<V>;
  record(line: Recorded<V>): void;
  /** @returns the checkpoint's directory */
  save(step: number, sums: Sums): Promise<string>;
  tell(step: number, note: string): void;
  readonly signal: AbortSignal | undefined;
  /** The command that goes on with the run. */
  readonly resume: string;
  /** What to do after numbers have exploded. */
  diverged(): string;
}

/** Updates, from where the run is, up to `max_steps`. */
export async function runUpdates<V extends { readonly val_loss: number }>({
  settings: { max_steps, validate_every, log_every, checkpoint_every },
  start,
  update,
  begin,
  validate,
  record,
  save,
  tell,
  signal,
  resume,
  diverged,
}: LoopOptions<V>): Promise<LoopResult<V>> {
  let { step } = start;
  const meter = openMeter(start.sums);
  let last: Recorded<V> | undefined;
  let begun = step === max_steps;
  if (begun) last = begin();
  let saves = false;
  while (step < max_steps) {
    const startMs = performance.now();
    const measured = await update.measure(step);
    if (measured.diverged) throw new NinaError(`Training diverged at step ${step}: ${measured.diverged} ${diverged()}`);
    const measureMs = performance.now() - startMs;
    if (!begun) last = begin();
    begun = true;
    // Only weights whose next loss is sound are saved: the last checkpoint is always a good one.
    if (saves) {
      const checkpoint = await save(step, meter.sums);
      if (signal?.aborted)
        throw new NinaError(`Stopped after step ${step} of ${max_steps}; saved ${checkpoint}. Go on with: ${resume}`);
    }
    const applyMs = performance.now();
    const learningRate = await update.apply(step);
    step++;
    meter.add(measured, measureMs + performance.now() - applyMs);
    tell(step, meter.note(measured));

    const validates = step === max_steps || step % validate_every === 0;
    if (validates || step % log_every === 0) {
      const line = meter.line(step, learningRate);
      const found = validates ? await validate() : undefined;
      if (found && !Number.isFinite(found.val_loss))
        throw new NinaError(`Training diverged at step ${step}: held-out loss ${found.val_loss}. ${diverged()}`);
      last = { ...line, ...found } as Recorded<V>;
      record(last);
    }
    // The runtime blocks the event loop: let signals in.
    await new Promise(setImmediate);
    saves = signal?.aborted || step % checkpoint_every === 0;
  }
  return { steps: step, checkpoint: await save(step, meter.sums), metrics: last };
}
