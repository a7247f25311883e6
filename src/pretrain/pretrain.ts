/**
 * Grounding pretraining: an encoder that has seen nothing learns on rendered scenes where named things are. As in training
 * (train/loop.ts) everything random follows from the seed and the step, and a run that was stopped, in whatever way, goes on as if it
 * never had been.
 */
import { cpu, onnxruntime } from '../engine/index.ts';
import { NinaError } from '../errors.ts';
import { sweepDrafts } from '../files.ts';
import { type Lock, lockDirectory } from '../lock.ts';
import { type Reporter, SILENT } from '../progress.ts';
import { fold, key } from '../random.ts';
import { groupsOf, layoutOf, mapTree, materialise, pack, type Spec, unpack } from '../tensor/index.ts';
import { fill, initialState, openOptimizer, optimizerMemory } from '../train/optimizer.ts';
import { emaDecayAt, learningRateAt } from '../train/schedule.ts';
import { shardRows } from '../train/shard.ts';
import { openShardThreads } from '../train/shard-threads.ts';
import type { GroundingShape } from './arrays.ts';
import { openBatches } from './batches.ts';
import { EVALUATED_TOGETHER, type GroundingReport, openEvaluation } from './evaluate.ts';
import { appendReport, cutReports, notePretraining, type Pretraining, readProgress, saveProgress } from './folder.ts';
import { blueprint } from './model.ts';
import { roundToStored, writeResult } from './result.ts';

export interface PretrainOptions {
  /** When it is aborted, the state is saved after the current step and a NinaError says how to go on. */
  readonly signal?: AbortSignal;
  readonly report?: Reporter;
  /** Threads that share an update, 1 unless given; the result does not depend on them. Scenes are rendered by one more. */
  readonly workers?: number;
}

export interface PretrainResult {
  /** The folder of the encoder. */
  readonly encoder: string;
  readonly report: GroundingReport;
}

/** Scenes of the reports on the way. */
const SOME_SCENES = 100;

/**
 * Pretrains in the folder `run`, from its saved state if it has one.
 * @throws NinaError when another process uses the folder, its state is of other settings, or the training diverges.
 */
export async function pretrain(run: string, what: Pretraining, options: PretrainOptions = {}): Promise<PretrainResult> {
  const { report = SILENT } = options;
  using lock = await lockDirectory(run, report.notice);
  sweepDrafts(run);
  return await pretrainLocked(run, lock, what, { ...options, report });
}

async function pretrainLocked(
  run: string,
  lock: Lock,
  what: Pretraining,
  { signal, report, workers = 1 }: PretrainOptions & { readonly report: Reporter },
): Promise<PretrainResult> {
  const { settings, encoder, tokenizer } = what;
  const { steps, seed, batch_size: B } = settings;
  const shape: GroundingShape = { encoder, names: settings.names, phrases: settings.phrases };
  const plan = blueprint(fold(key(seed), 'init'), shape);
  const { size } = layoutOf(plan);
  const saved = readProgress(run, what, size);
  const rows = shardRows(B);
  const memory = await optimizerMemory(size, rows.length);
  fill(memory, saved?.optimizer ?? initialState(pack(materialise(plan)).flat));
  const { state: optimizer } = await openOptimizer(memory);
  const average = new Float32Array(size);
  const averaged = unpack(plan, average);
  const takeAverage = () => average.set(optimizer.ema);

  const augmentation = { shifted: settings.shifted, wordsDropped: settings.words_dropped };
  using batches = openBatches({ shape, tokenizer, seed, augmentation });
  using threads = await openShardThreads(
    {
      objective: {
        module: new URL('./objective.js', import.meta.url).href,
        options: { shape, settingIn: Math.max(1, Math.round(settings.setting_in * steps)) },
      },
      params: mapTree(plan, (spec: Spec) => ({ shape: spec.shape })),
      optimizer: memory,
      rows,
      groups: groupsOf(plan),
      key: fold(key(seed), 'train'),
      device: 'cpu',
      threads: 1,
    },
    workers,
  );
  using evaluation = await openEvaluation(shape, averaged, batches, onnxruntime({ device: 'cpu' }));

  const weights = rows.map((n) => n / B);
  const schedule = {
    learningRate: settings.learning_rate,
    steps,
    warmupFraction: settings.warmup_fraction,
    holdFraction: 0,
    initialScale: 0,
    finalScale: settings.final_scale,
  };
  const requestOf = (step: number) => ({ set: 'train' as const, first: step * B, rows });

  /** One update; the loss of its batch, and the norm of the gradient before it was scaled down. */
  async function update(step: number): Promise<{ loss: number; norm: number }> {
    const { parts } = await batches.take(requestOf(step), step + 1 < steps ? requestOf(step + 1) : undefined);
    const losses = await threads.each((shard) => ({ kind: 'measure', shard, step, batch: parts[shard] }));
    const squares = await threads.each((shard) => ({ kind: 'merge', shard, weights }));
    const loss = losses.reduce((sum, one, shard) => sum + weights[shard] * one, 0);
    const norm = Math.sqrt(squares.reduce((sum, one) => sum + one, 0));
    if (!Number.isFinite(loss) || !Number.isFinite(norm))
      throw new NinaError(
        `Pretraining diverged at step ${step}: loss ${loss}, gradient norm ${norm}. Begin anew in another folder with a lower learning_rate.`,
      );
    if (norm > settings.largest_gradient) {
      const scaled = rows.map((_, i) => (i === 0 ? settings.largest_gradient / norm : 0));
      await threads.each((shard) => ({ kind: 'merge', shard, weights: scaled }));
    }
    const rates = {
      learningRate: learningRateAt(step, schedule),
      beta1: settings.beta1,
      beta2: settings.beta2,
      weightDecay: settings.weight_decay,
      emaDecay: emaDecayAt(step),
    };
    await threads.each((shard) => ({ kind: 'apply', shard, step, settings: rates }));
    return { loss, norm };
  }

  let step = saved?.step ?? 0;
  notePretraining(run, what);
  // The last report is of what is done at the end, whenever that is.
  cutReports(run, Math.min(step, steps - 1));
  const tell = (note: string) => report.progress({ stage: 'Pretraining', done: step, total: steps, note });
  const save = () => {
    lock.check();
    saveProgress(run, what, step, optimizer);
  };
  tell(`${(size / 1e6).toFixed(2)} M parameters with the heads, batches of ${B} scenes`);
  while (step < steps) {
    const startMs = performance.now();
    const measured = await update(step);
    step++;
    tell(
      `loss ${measured.loss.toFixed(3)}, |g| ${measured.norm.toPrecision(2)}, ${((performance.now() - startMs) / 1000).toFixed(2)} s a step`,
    );
    if (step < steps && step % settings.evaluate_every === 0) {
      takeAverage();
      const now = await evaluation.measure(Math.min(SOME_SCENES, settings.evaluated_scenes));
      lock.check();
      appendReport(run, step, now);
    }
    // The runtime blocks the event loop: let signals in.
    await new Promise(setImmediate);
    if (step % settings.save_every === 0 || step === steps || signal?.aborted) save();
    if (signal?.aborted && step < steps)
      throw new NinaError(`Stopped after step ${step} of ${steps}. Go on with: nina pretrain --out ${run} --resume`);
  }
  takeAverage();
  roundToStored(average);
  report.notice(`Measuring what the encoder knows of ${settings.evaluated_scenes} held-out scenes ...`);
  const final = await evaluation.measure(settings.evaluated_scenes);
  const examples = await evaluation.judge('seen', settings.evaluated_scenes - EVALUATED_TOGETHER);
  lock.check();
  appendReport(run, step, final);
  return { encoder: await writeResult(run, what, averaged.encoder, final, examples, cpu), report: final };
}
