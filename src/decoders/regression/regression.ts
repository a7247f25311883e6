/**
 * Regression: a perceptron from the condition to the chunk, fitted by squared error (the `mse` backbone of the NinA
 * paper's ablation). It answers with the mean of what the expert might do, where a flow or a diffusion answers with one
 * thing the expert might do.
 */
import { initMlp, type Mlp, mlp } from '../../nn/index.ts';
import type { Key } from '../../random.ts';
import { mean, reshape, type Spec, square, sub, type Tensor } from '../../tensor/index.ts';
import type { RegressionConfig } from './config.ts';

export type Params<T> = Mlp<T>;

/** The perceptron's layers: from the condition [C] to a chunk [T * A]. */
export function blueprint(
  key: Key,
  { hidden_dim, n_layers, cond_dim, chunk_length, action_dim }: RegressionConfig,
): Params<Spec> {
  const hidden = Array<number>(n_layers).fill(hidden_dim);
  return initMlp(key, [cond_dim, ...hidden, chunk_length * action_dim]);
}

/** Actions [B, T, A] given cond [B, C], not clamped. */
export function predict(config: RegressionConfig, p: Params<Tensor>, cond: Tensor): Tensor {
  return reshape(mlp(p, cond), [cond.shape[0], config.chunk_length, config.action_dim]);
}

/** The mean squared error per number of an action: a scalar. actions [B, T, A], cond [B, C]. */
export function loss(config: RegressionConfig, p: Params<Tensor>, actions: Tensor, cond: Tensor): Tensor {
  return mean(square(sub(predict(config, p, cond), actions)));
}
