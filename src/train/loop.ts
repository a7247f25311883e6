/**
 * The training loop: update, measure, save. A run stopped anywhere and resumed computes the same bits as one that never
 * stopped, because all that carries over is in state.safetensors and all that is random follows from the seed and the step.
 */
import { observationAt } from '../data/index.ts';
import { cpu, type NodeDevice, onnxruntime } from '../engine/index.ts';
import { NinaError } from '../errors.ts';
import { sweepDrafts } from '../files.ts';
import { type Lock, lockDirectory } from '../lock.ts';
import { CHECKPOINTS, prepareSelfTest, requireOutsideCheckpoints } from '../policy/index.ts';
import { type Reporter, SILENT } from '../progress.ts';
import { fold, key } from '../random.ts';
import { unpack } from '../tensor/index.ts';
import type { TrainConfig } from './config.ts';
import { divergedAdvice, explain, resume } from './failure.ts';
import { requireMemory } from './memory.ts';
import { openMeter } from './meter.ts';
import { appendMetrics, type Metrics, readMetrics, truncateMetrics, writeCsv } from './metrics.ts';
import { openOptimizer } from './optimizer.ts';
import { isRun, lastingSettings, noteChanges, save, writeRecipe } from './run.ts';
import { prepareStart, type Start } from './start.ts';
import type { Sums } from './state.ts';
import { prepareUpdate, type Update } from './update.ts';
import { prepareValidation, type ValidationMetrics } from './validation.ts';

export interface TrainResult {
  readonly steps: number;
  /** Directory of the last checkpoint. */
  readonly checkpoint: string;
  /** The last line of metrics, with the final validation. */
  readonly metrics: Metrics | undefined;
}

/** How a training is told to stop, and where it tells how it goes. */
export interface TrainOptions {
  /** When it is aborted, a checkpoint is saved after the current step and a NinaError says how to resume. */
  readonly signal?: AbortSignal;
  /** Told before the first update of this process, then each update; nothing is told unless given. */
  readonly report?: Reporter;
  /** Threads that share an update, 1 unless given; at most 2 have work. The result does not depend on them. */
  readonly workers?: number;
  /** What computes losses and gradients; another than the CPU differs in last digits. */
  readonly device?: NodeDevice;
}

/**
 * Trains in the folder `run` until `max_steps`, from its saved state if it has one.
 * @throws UsageError when the saved state is already beyond `max_steps`, or the settings need more memory than
 * there is.
 * @throws NinaError when another process uses the folder, the data is unsuitable or has changed, the run's recipe was
 * edited, or training diverges.
 * @example
 * ```ts
 * import { assignments, train, trainConfig } from 'nina-vla/train';
 *
 * const config = trainConfig(assignments(['data=demos/object', 'decoder.n_layers=2', 'training.max_steps=2']));
 * const { checkpoint, metrics } = await train('runs/short', config);
 * console.log(checkpoint, metrics?.val_bits_per_dim); // runs/short/checkpoints/2
 * ```
 */
export async function train(run: string, config: TrainConfig, options: TrainOptions = {}): Promise<TrainResult> {
  const { report = SILENT } = options;
  requireOutsideCheckpoints(run);
  requireMemory(config);
  try {
    using lock = await lockDirectory(run, report.notice);
    return await trainLocked(run, lock, config, { ...options, report });
  } catch (error) {
    throw explain(error, run, config);
  }
}

async function trainLocked(
  run: string,
  lock: Lock,
  config: TrainConfig,
  { signal, report, workers = 1, device = 'cpu' }: TrainOptions & { readonly report: Reporter },
): Promise<TrainResult> {
  sweepDrafts(run, `${run}/${CHECKPOINTS}`);
  const start = await prepareStart(run, config, report.notice);
  const { data, policy, plan, buffers, memory } = start;
  const { training } = config;
  const root = key(config.seed);
  const { state: optimizer } = await openOptimizer(memory);
  // The engine takes no views of memory that threads share: what is validated and saved is a copy of the average.
  const average = new Float32Array(memory.size);
  const averaged = { params: unpack(plan.params, average), buffers };
  const takeAverage = () => average.set(optimizer.ema);
  takeAverage();
  using update = await prepareUpdate({
    config: training,
    policy,
    plan,
    buffers,
    optimizer: memory,
    dataset: data.train,
    statistics: data.statistics,
    key: fold(root, 'train'),
    workers,
    device,
  });
  using validation = await prepareValidation(
    training,
    policy,
    averaged,
    data.validation,
    data.statistics,
    fold(root, 'validation'),
    onnxruntime({ device }),
  );
  const parts = { config: policy, statistics: data.statistics, model: averaged };
  const [first] = data.train.episodes;
  using selfTest = await prepareSelfTest(parts, observationAt(first, first, 0), fold(root, 'self-test'), cpu);
  const validate = () => {
    takeAverage();
    return validation.measure();
  };
  const saveNow = async (step: number, sums: Sums) => {
    lock.check();
    takeAverage();
    const state = { step, optimizer, buffers, sums, dataHash: data.hash, settings: lastingSettings(config) };
    const directory = await save(run, state, parts, selfTest, data, config);
    writeCsv(run);
    return directory;
  };
  const tell = (step: number, note: string) =>
    report.progress({ stage: 'Training', done: step, total: training.max_steps, note });
  const { episodes, windows } = data.train;
  tell(
    start.step,
    `${(memory.size / 1e6).toFixed(2)} M parameters on ${episodes.length} episodes (${windows.length} chunks)`,
  );
  // Awaited here: what is compiled lives as long as this function.
  return await runUpdates(run, config, start, { lock, update, validate, saveNow, tell, signal, notice: report.notice });
}

/** What stands around the updates. */
interface Around {
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
async function runUpdates(
  run: string,
  config: TrainConfig,
  start: Pick<Start, 'step' | 'sums'>,
  { lock, update, validate, saveNow, tell, signal, notice }: Around,
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
