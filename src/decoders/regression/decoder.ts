/** Regression behind the contract of all decoders: the mean of the encoder's tokens, through a perceptron. */
import * as z from 'zod';
import type { Linear } from '../../nn/index.ts';
import { fold } from '../../random.ts';
import type { Tensor } from '../../tensor/index.ts';
import type { Decoder } from '../decoder.ts';
import { initPool, pool } from '../pool.ts';
import { regressionSchema } from './config.ts';
import { blueprint, loss, type Params, predict } from './regression.ts';

const schema = z.strictObject({ name: z.literal('regression'), ...regressionSchema.shape });

/** Of a policy's regression decoder. */
type DecoderParams<T> = { readonly pool: Linear<T>; readonly mlp: Params<T> };

export const regression: Decoder<z.output<typeof schema>> = {
  name: 'regression',
  settings: regressionSchema.omit({ action_dim: true }),
  schema,
  hasDensity: false,
  lossUnit: 'squared error',
  pools: true,
  describe: ({ n_layers, hidden_dim }) => `regression, ${n_layers} layers of width ${hidden_dim}`,
  blueprint: (key, config, W) => ({
    params: { pool: initPool(fold(key, 'pool'), W, config.cond_dim), mlp: blueprint(fold(key, 'decoder'), config) },
    buffers: {},
  }),
  contextShape: ({ cond_dim }, B) => [B, cond_dim],
  inputs: () => ({}),
  draws: () => ({}),
  dropoutRate: () => 0,
  footprint: ({ chunk_length, action_dim, n_layers, hidden_dim }) => ({
    row: 2 * chunk_length * action_dim + n_layers * hidden_dim,
    nodes: 2 * n_layers,
  }),
  derived: () => ({}),
  bind(config, _, parameters) {
    const p = parameters as DecoderParams<Tensor>;
    return {
      context: (tokens, mask) => pool(p.pool, tokens, mask),
      loss: (actions, seen) => loss(config, p.mlp, actions, seen),
      sample: (_, seen) => predict(config, p.mlp, seen),
    };
  },
};
