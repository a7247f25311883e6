/**
 * How good the averaged weights are on episodes that training never sees.
 *
 * The likelihood of actions is only defined for a density, and recorded actions lie on the bounds of their box; so
 * the held-out loss of a flow is taken of targets noised exactly as in training (same sigma, same clamp), with noise fixed by the
 * run's key: it estimates the expected training loss on new episodes, and is comparable between runs that noise alike.
 * Squared errors are against the clean actions, of samples clamped as the policy clamps them.
 */
import { decoderOf } from '../decoders/index.ts';
import type { Engine } from '../engine/index.ts';
import { square } from '../math.ts';
import { derivedFeeds, type PolicyParts } from '../policy/index.ts';
import { fold, type Key, normals, permutation } from '../random.ts';
import type { TrainingSettings } from './config.ts';
import { batcher, type Dataset } from './dataset.ts';
import type { Metrics } from './metrics.ts';
import { compileValidation } from './programs.ts';

export type ValidationMetrics = Required<Pick<Metrics, 'val_loss' | 'val_best_of_8_mse' | 'val_z0_mse'>> &
  Pick<Metrics, 'val_bits_per_dim'>;

export interface Validation extends Disposable {
  /** Of the weights as they are now. */
  measure(): Promise<ValidationMetrics>;
}

/** Held-out windows that are measured, at most. */
const WINDOWS = 640;
const SAMPLES = 8;

/** Whole batches of the training's size, but never more rows than are measured: there is always at least one. */
export function batching(batchSize: number, windows: number): { B: number; batches: number } {
  const measured = Math.min(windows, WINDOWS);
  const B = Math.min(batchSize, measured);
  return { B, batches: Math.floor(measured / B) };
}

/** @param policy with the averaged weights: their arrays go on changing */
export async function prepareValidation(
  { batch_size, threads }: TrainingSettings,
  policy: PolicyParts,
  dataset: Dataset,
  key: Key,
  engine: Engine,
): Promise<Validation> {
  const { config, model } = policy;
  const decoder = decoderOf(config.decoder);
  const { chunk_length: T, action_dim: A } = config.decoder;
  const D = T * A;
  const order = permutation(fold(key, 'windows'), dataset.windows.length);
  const { B, batches } = batching(batch_size, order.length);
  const { loss, sampler } = await compileValidation(config, model, B, engine, threads);
  const { allocate, fill } = batcher(dataset, policy);
  const batch = allocate(B);

  return {
    async measure() {
      const fixed = derivedFeeds(config, model);
      let mean = 0;
      let best = 0;
      let mode = 0;
      for (let i = 0; i < batches; i++) {
        fill(batch, order.subarray(i * B, (i + 1) * B));
        const drawn = decoder.draws(config.decoder, key, i, B);
        const found = await loss.run({ ...batch.inputs, actions: batch.actions, ...drawn });
        mean += found.loss[0] / batches;
        const errors = async (z: Float32Array) => {
          const noise = 'z' in sampler.signature.inputs && { z };
          const { actions } = await sampler.run({ ...fixed, ...noise, context: found.context });
          return rowErrors(actions, batch.actions, B, D);
        };
        mode += total(await errors(new Float32Array(B * D))) / (batches * B);
        const least = new Float64Array(B).fill(Number.POSITIVE_INFINITY);
        for (let k = 0; k < SAMPLES; k++) {
          const error = await errors(normals(fold(key, 'z', i, k), B * D));
          for (let row = 0; row < B; row++) least[row] = Math.min(least[row], error[row]);
        }
        best += total(least) / (batches * B);
      }
      return {
        val_loss: mean,
        ...(decoder.lossUnit === 'nats' && { val_bits_per_dim: mean / (D * Math.LN2) }),
        val_best_of_8_mse: best,
        val_z0_mse: mode,
      };
    },
    [Symbol.dispose]() {
      loss[Symbol.dispose]();
      sampler[Symbol.dispose]();
    },
  };
}

/** Mean squared error of each row of D numbers, samples clamped to the action box. */
function rowErrors(samples: Float32Array, actions: Float32Array, B: number, D: number): Float64Array {
  return Float64Array.from({ length: B }, (_, row) => {
    let sum = 0;
    for (let i = row * D; i < (row + 1) * D; i++) sum += square(Math.min(1, Math.max(-1, samples[i])) - actions[i]);
    return sum / D;
  });
}

const total = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
