/**
 * The training loop: update, measure, save. A run stopped anywhere and resumed computes the same bits as one that never
 * stopped, because all that carries over is in state.safetensors and all that is random follows from the seed and the step.
 */
import { observationAt } from '../data/index.ts';
import { drawModel } from '../decoders/index.ts';
import { cpu, type NodeDevice, onnxruntime } from '../engine/index.ts';
import { NinaError, UsageError } from '../errors.ts';
import { sweepDrafts } from '../files.ts';
import { type Lock, lockDirectory } from '../lock.ts';
import {
  blueprint,
  CHECKPOINTS,
  type PolicyConfig,
  prepareSelfTest,
  requireOutsideCheckpoints,
} from '../policy/index.ts';
import { type Reporter, SILENT } from '../progress.ts';
import { fold, key } from '../random.ts';
import { layoutOf, pack, unpack } from '../tensor/index.ts';
import type { TrainConfig } from './config.ts';
import { type Demonstrations, loadDemonstrations } from './dataset.ts';
import { divergedAdvice, explain, resume } from './failure.ts';
import { requireMemory } from './memory.ts';
import { appendMetrics, type Metrics, readMetrics, truncateMetrics, writeCsv } from './metrics.ts';
import { fill, initialState, openOptimizer, optimizerMemory } from './optimizer.ts';
import { decoderConfig, decoderRules } from './parts.ts';
import { isRun, lastingSettings, locateData, noteChanges, requireSameSettings, save, writeRecipe } from './run.ts';
import { join } from './settings.ts';
import { shardRows } from './shard.ts';
import { readState, requireSize, type Window } from './state.ts';
import { prepareUpdate } from './update.ts';
import { prepareValidation } from './validation.ts';

export interface TrainResult {
  readonly steps: number;
  /** Directory of the last checkpoint. */
  readonly checkpoint: string;
  /** The last line of metrics, with the final validation. */
  readonly metrics: Metrics | undefined;
}

const EMPTY: Window = { steps: 0, loss: 0, gradNorm: 0 };

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
  const root = key(config.seed);
  const { training } = config;
  const source = locateData(run, config);
  const data = await loadDemonstrations(
    source,
    config.encoder,
    config.seed,
    training.validation_fraction,
    report.notice,
  );
  const saved = readState(run);
  // Other data make another vocabulary and so another model: the data come first, what follows from them later.
  if (saved && saved.dataHash !== data.hash)
    throw new NinaError(
      `The demonstrations in ${config.data} are not those that ${run} was trained on so far. Restore them, say with --data ` +
        'where those are now, or start a new run.',
    );
  if (saved) requireSameSettings(run, config, saved.settings);
  if (saved && training.max_steps < saved.step)
    throw new UsageError(
      `${run} has done ${saved.step} steps; max_steps must be at least that to go on with it, got ${training.max_steps}.`,
    );
  const policy = policyConfig(config, data);
  const plan = blueprint(fold(root, 'init'), policy);
  const layout = layoutOf(plan.params);
  if (saved) requireSize(run, saved, layout.size);
  const { optimizer: start, buffers } = saved ?? fresh(plan);
  const memory = await optimizerMemory(layout.size, shardRows(training.batch_size).length);
  fill(memory, start);
  const { state: optimizer } = await openOptimizer(memory);
  // The engine takes no views of memory that threads share: what is validated and saved is a copy of the average.
  const average = new Float32Array(layout.size);
  const averaged = { params: unpack(plan.params, average), buffers };
  const takeAverage = () => average.set(optimizer.ema);
  takeAverage();
  let { step, window } = saved ?? { step: 0, window: EMPTY };
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
  const saveNow = async () => {
    lock.check();
    takeAverage();
    const settings = lastingSettings(config);
    const state = { step, optimizer, buffers, window, dataHash: data.hash, settings };
    const directory = await save(run, state, parts, selfTest, data, config);
    writeCsv(run);
    return directory;
  };

  const { episodes, windows } = data.train;
  const tell = (note: string) => report.progress({ stage: 'Training', done: step, total: training.max_steps, note });
  tell(`${(layout.size / 1e6).toFixed(2)} M parameters on ${episodes.length} episodes (${windows.length} chunks)`);
  let last: Metrics | undefined;
  let begun = false;
  // After the first update is known to fit into memory the folder holds a run; bad data or settings leave no trace.
  const begin = () => {
    begun = true;
    lock.check();
    if (isRun(run)) for (const notice of noteChanges(run, config)) report.notice(notice);
    else writeRecipe(run, config);
    truncateMetrics(run, step);
    last = readMetrics(run).at(-1);
  };
  if (step === training.max_steps) begin();
  let clock = { steps: 0, ms: 0 };
  let saves = false;
  while (step < training.max_steps) {
    const startMs = performance.now();
    const { loss, gradNorm, diverged } = await update.measure(step);
    if (diverged) throw new NinaError(`Training diverged at step ${step}: ${diverged} ${divergedAdvice(run)}`);
    const measureMs = performance.now() - startMs;
    if (!begun) begin();
    // Only weights whose next loss is sound are saved: the last checkpoint is always a good one.
    if (saves) {
      const checkpoint = await saveNow();
      if (signal?.aborted)
        throw new NinaError(
          `Stopped after step ${step} of ${training.max_steps}; saved ${checkpoint}. Go on with: ${resume(run)}`,
        );
    }
    const applyMs = performance.now();
    const learningRate = await update.apply(step);
    step++;
    window = { steps: window.steps + 1, loss: window.loss + loss, gradNorm: window.gradNorm + gradNorm };
    clock = { steps: clock.steps + 1, ms: clock.ms + measureMs + performance.now() - applyMs };
    const stepsPerS = (1000 * clock.steps) / clock.ms;
    tell(`loss ${loss.toPrecision(4)}, |g| ${gradNorm.toPrecision(3)}, ${stepsPerS.toFixed(1)} steps/s`);

    const validates = step === training.max_steps || step % training.validate_every === 0;
    if (validates || step % training.log_every === 0) {
      last = {
        step,
        loss: window.loss / window.steps,
        grad_norm: window.gradNorm / window.steps,
        lr: learningRate,
        steps_per_s: stepsPerS,
        ...(validates && (await validate())),
      };
      if (!Number.isFinite(last.val_loss ?? 0))
        throw new NinaError(
          `Training diverged at step ${step}: held-out loss ${last.val_loss}. ${divergedAdvice(run)}`,
        );
      lock.check();
      appendMetrics(run, last);
      window = EMPTY;
      clock = { steps: 0, ms: 0 };
    }
    // The runtime blocks the event loop: let signals in.
    await new Promise(setImmediate);
    saves = signal?.aborted || step % training.checkpoint_every === 0;
  }
  return { steps: step, checkpoint: await saveNow(), metrics: last };
}

/** Where a training begins. */
function fresh(plan: ReturnType<typeof blueprint>) {
  const { params, buffers } = drawModel(plan);
  return { optimizer: initialState(pack(params).flat), buffers };
}

/** The policy that these settings and this data define. */
function policyConfig({ decoder, acting }: TrainConfig, { encoder, robot }: Demonstrations): PolicyConfig {
  const [wrong] = decoderRules(decoder, robot);
  if (wrong)
    throw new UsageError(`${join('decoder', wrong.path.join('.'))}: ${wrong.message} The robot is ${robot.name}.`);
  return {
    encoder,
    decoder: decoderConfig(decoder, robot),
    robot,
    acting: { multistep: acting.multistep ?? decoder.chunk_length, temperature: acting.temperature },
  };
}
