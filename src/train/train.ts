/** A training: what it needs is opened and compiled here, and closed when it ends; the loop itself is in loop.ts. */
import { cpu, type NodeDevice, onnxruntime } from '../engine/index.ts';
import { sweepDrafts } from '../files.ts';
import { type Lock, lockDirectory } from '../lock.ts';
import { CHECKPOINTS, prepareSelfTest, requireOutsideCheckpoints } from '../policy/index.ts';
import { type Reporter, SILENT } from '../progress.ts';
import { fold, key } from '../random.ts';
import { unpack } from '../tensor/index.ts';
import type { TrainConfig } from './config.ts';
import { divergedAdvice, explain, resume } from './failure.ts';
import { rulesOf, shapesOf, together } from './frozen.ts';
import { explosionOf, imitation } from './imitation.ts';
import { type LoopResult, runUpdates } from './loop.ts';
import { requireMemory } from './memory.ts';
import { appendMetrics, readMetrics, truncateMetrics, writeCsv } from './metrics.ts';
import { openNumbers } from './numbers.ts';
import { observe, openEyes } from './observe.ts';
import { openOptimizer } from './optimizer.ts';
import { isRun, lastingSettings, noteChanges, save, writeRecipe } from './run.ts';
import { prepareStart } from './start.ts';
import type { Sums } from './state.ts';
import { prepareUpdate } from './update.ts';
import { prepareValidation, type ValidationMetrics } from './validation.ts';

export type TrainResult = LoopResult<ValidationMetrics>;

/** How a training is told to stop, and where it tells how it goes. */
export interface TrainOptions {
  /** When it is aborted, a checkpoint is saved after the current step and a NinaError says how to resume. */
  readonly signal?: AbortSignal;
  /** Told before the first update of this process, then each update; nothing is told unless given. */
  readonly report?: Reporter;
  /**
   * Threads, 1 unless given: at most 2 share an update, all compute what is kept of frames before. The result does not depend
   * on them.
   */
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
  const { data, policy, plan, trained, frozen, buffers, memory } = start;
  const { training } = config;
  const root = key(config.seed);
  const { state: optimizer } = await openOptimizer(memory);
  // Before Node 22 the engine takes no views of memory that threads share: what is validated and saved is a copy of the average.
  const average = new Float32Array(memory.size);
  const averaged = { params: together(plan.params, unpack(trained, average), frozen), buffers };
  const takeAverage = () => average.set(optimizer.ema);
  takeAverage();
  const parts = { config: policy, statistics: data.statistics, assets: data.assets, model: averaged };
  const trainKey = fold(root, 'train');
  using eyes = await openEyes(policy.encoder);
  using numbers = await openNumbers(start, {
    run,
    config,
    policy: parts,
    key: trainKey,
    workers,
    eyes,
    signal,
    report,
  });
  using update = await prepareUpdate({
    config: training,
    objective: imitation({ config: policy, params: shapesOf(trained), buffers, freeze: training.freeze }),
    params: trained,
    rules: rulesOf(training),
    optimizer: memory,
    batches: numbers.batches,
    explosion: explosionOf(policy),
    key: trainKey,
    workers,
    device,
  });
  using validation = await prepareValidation(
    training,
    parts,
    { windows: data.validation.windows.length, most: numbers.most },
    numbers.validation,
    fold(root, 'validation'),
    onnxruntime({ device }),
  );
  const [first] = data.train.episodes;
  using selfTest = await prepareSelfTest(parts, observe(eyes, first, 0), fold(root, 'self-test'), cpu);
  const validate = () => {
    takeAverage();
    return validation.measure();
  };
  const saveNow = async (step: number, sums: Sums) => {
    lock.check();
    takeAverage();
    const state = { step, optimizer, buffers, sums, dataHash: data.hash, settings: lastingSettings(config) };
    const directory = await save(run, state, parts, selfTest, data, eyes, config);
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
  return await runUpdates({
    ...{ settings: training, start, update, validate, tell, signal, save: saveNow, resume: resume(run) },
    begin() {
      lock.check();
      if (isRun(run)) for (const change of noteChanges(run, config)) report.notice(change);
      else writeRecipe(run, config);
      truncateMetrics(run, start.step);
      return readMetrics(run).at(-1);
    },
    record(line) {
      lock.check();
      appendMetrics(run, line);
    },
    diverged: () => divergedAdvice(run),
  });
}
