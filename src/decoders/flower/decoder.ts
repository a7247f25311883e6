/** FLOWER behind the contract of all decoders: it attends to every token of the encoder that is none of padding. */
import * as z from 'zod';
import { fold, normals } from '../../random.ts';
import { concat, input, reshape, type Tensor } from '../../tensor/index.ts';
import type { Decoder } from '../decoder.ts';
import { checkFlower, flowerSettings } from './config.ts';
import { loss, sample } from './flower.ts';
import { blueprint, type Params } from './params.ts';
import { sampleTimes } from './times.ts';

const schema = z.strictObject({ name: z.literal('flower'), ...flowerSettings.shape }).superRefine(checkFlower);

export const flower: Decoder<z.output<typeof schema>> = {
  name: 'flower',
  settings: flowerSettings.omit({ action_dim: true }),
  schema,
  hasDensity: false,
  lossUnit: 'squared error',
  describe: ({ n_layers, dit_dim, num_sampling_steps }) =>
    `FLOWER diffusion, ${n_layers} layers of width ${dit_dim}, ${num_sampling_steps} steps`,
  blueprint: (key, config, W) => ({ params: blueprint(fold(key, 'decoder'), config, W), buffers: {} }),
  // Whether a token is real is one more number of it.
  contextShape: (_, B, S, W, masked) => [B, S, masked ? W + 1 : W],
  inputs: ({ chunk_length, action_dim }, B) => ({
    noise: input('noise', [B, chunk_length, action_dim]),
    times: input('times', [B]),
  }),
  draws: ({ chunk_length, action_dim, sampling_type }, key, step, B) => ({
    noise: normals(fold(key, 'noise', step), B * chunk_length * action_dim),
    times: sampleTimes(fold(key, 'times', step), sampling_type, B),
  }),
  dropoutRate: ({ dropout }) => dropout,
  footprint: ({ chunk_length: T, action_dim: A, n_layers, dit_dim, num_sampling_steps }) => ({
    row: 2 * T * A + n_layers * T * dit_dim * 8,
    nodes: 20 * n_layers * num_sampling_steps,
  }),
  derived: () => ({}),
  bind(config, _, parameters) {
    const p = parameters as Params<Tensor>;
    return {
      context: (tokens, mask) => (mask ? concat([tokens, reshape(mask, [...mask.shape, 1])], 2) : tokens),
      loss: (actions, seen, { noise, times }, dropout) => loss(config, p, actions, seen, noise, times, dropout),
      sample: (z, seen) => sample(config, p, z, seen),
    };
  },
};
