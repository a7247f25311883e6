/**
 * One update of the weights. Batch, noise and dropout masks are drawn from keys folded with the step, so that an update
 * is a function of the state and the step alone.
 */
import { episodeId } from '../data/index.ts';
import { decoderOf } from '../decoders/index.ts';
import type { Masks } from '../nn/index.ts';
import type { ModelShape, PolicyConfig, PolicyStatistics } from '../policy/index.ts';
import { dropoutMask, fold, type Key } from '../random.ts';
import { feeds, layoutOf } from '../tensor/index.ts';
import { adamwUpdate, decayGroups, norm, type OptimizerState } from './adamw.ts';
import type { TrainingSettings } from './config.ts';
import { batcher, type Dataset } from './dataset.ts';
import { compileUpdate, GRADIENT, PARAMETER } from './programs.ts';
import { batchSampler } from './sampler.ts';
import { emaDecayAt, learningRateAt } from './schedule.ts';

/** What a batch says about the weights. */
export interface Measured {
  /** Of the batch: nats for a flow, squared error for the others. */
  readonly loss: number;
  readonly gradNorm: number;
  /** Set when loss or gradient are unusable, and so are the weights: what happened, on which episodes. */
  readonly diverged?: string;
}

/** Update number `step`, counted from 0, in two halves: between them the weights are known to be good. */
export interface Update extends Disposable {
  /** Loss and gradient of the step's batch. */
  measure(step: number): Promise<Measured>;
  /** Applies that gradient to the optimizer's state; returns the learning rate it used. */
  apply(step: number): number;
}

/**
 * A loss per action dimension beyond which it is an explosion: for nats as if every number were 14 standard deviations
 * out, for squared errors as if it were 10 out of a range of 2.
 */
const EXPLOSION = 100;

export async function prepareUpdate(
  config: TrainingSettings,
  policy: PolicyConfig,
  model: ModelShape,
  optimizer: OptimizerState,
  dataset: Dataset,
  statistics: PolicyStatistics,
  key: Key,
): Promise<Update> {
  const { batch_size: B, threads } = config;
  const settings = policy.decoder;
  const decoder = decoderOf(settings);
  const { chunk_length: T, action_dim: A } = settings;
  const { program, masks } = await compileUpdate(policy, model, B, threads);
  const sample = batchSampler(fold(key, 'batches'), dataset.windows.length, B);
  const { allocate, fill } = batcher(dataset, policy, statistics);
  const batch = allocate(B);
  const dropouts = masks.flatMap((m) => maskArrays(m));
  const layout = layoutOf(model.params);
  const groups = decayGroups(layout.entries);
  const gradient = new Float32Array(layout.size);
  const inputs = {
    ...feeds(layout, optimizer.params, PARAMETER),
    ...batch.inputs,
    ...Object.fromEntries(dropouts.map(({ name, values }) => [name, values])),
    actions: batch.actions,
  };
  const outputs = { ...feeds(layout, gradient, GRADIENT), loss: new Float32Array(1) };
  const explosion = EXPLOSION * (decoder.lossUnit === 'nats' ? T * A : 1);
  const schedule = {
    learningRate: config.learning_rate,
    steps: config.schedule_steps ?? config.max_steps,
    warmupFraction: config.warmup_fraction,
    holdFraction: config.hold_fraction,
    initialScale: config.initial_lr_scale,
    finalScale: config.final_lr_scale,
  };

  return {
    async measure(step) {
      const indices = sample(step);
      fill(batch, indices);
      for (const { name, rate, values } of dropouts) dropoutMask(fold(key, 'dropout', name, step), rate, values);
      await program.run({ ...inputs, ...decoder.draws(settings, key, step, B) }, outputs);
      const loss = outputs.loss[0];
      const gradNorm = norm(gradient);
      if (Number.isFinite(gradNorm) && loss <= explosion) return { loss, gradNorm };
      const episodes = new Set(Array.from(indices, (i) => episodeId(dataset.episodes[dataset.windows[i].episode])));
      const diverged =
        `loss ${loss}, gradient norm ${gradNorm} (a loss above ${explosion} counts as an explosion). ` +
        `The batch came from: ${[...episodes].join(', ')}.`;
      return { loss, gradNorm, diverged };
    },
    apply(step) {
      const learningRate = learningRateAt(step, schedule);
      const { beta1, beta2, weight_decay: weightDecay } = config;
      const emaDecay = emaDecayAt(step);
      adamwUpdate(optimizer, gradient, groups, step, { learningRate, beta1, beta2, weightDecay, emaDecay });
      return learningRate;
    },
    [Symbol.dispose]() {
      program[Symbol.dispose]();
    },
  };
}

function maskArrays({ rate, inputs }: Masks): { name: string; rate: number; values: Float32Array }[] {
  return inputs.map(({ name, shape }) => ({
    name,
    rate,
    values: new Float32Array(shape.reduce((a, b) => a * b, 1)),
  }));
}
