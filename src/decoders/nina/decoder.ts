/** NinA behind the contract of all decoders: a flow, conditioned on the mean of the encoder's tokens. */
import * as z from 'zod';
import type { Linear } from '../../nn/index.ts';
import { fold, normals } from '../../random.ts';
import { input, type NDArray, type Tensor } from '../../tensor/index.ts';
import type { Decoder } from '../decoder.ts';
import type { DecoderModel } from '../model.ts';
import { initPool, pool } from '../pool.ts';
import { compileNina } from './compiled/compile.ts';
import { BACKENDS } from './compiled/compiled.ts';
import { foldNina } from './compiled/folded.ts';
import { logProbGraph, sampleGraph } from './compiled/graph.ts';
import { checkNina, ninaSettings } from './config.ts';
import { ninaReference } from './match.ts';
import * as flow from './nina.ts';

const schema = z.strictObject({ name: z.literal('nina'), ...ninaSettings.shape }).superRefine(checkNina);

/** Of a policy's NinA decoder. */
type DecoderParams<T> = { readonly pool: Linear<T>; readonly flow: flow.Params<T> };

/** The flow alone, without what condenses the tokens. */
const flowOf = ({ params, buffers }: DecoderModel): flow.Model => ({
  params: (params as DecoderParams<NDArray>).flow,
  buffers,
});

export const nina: Decoder<z.output<typeof schema>> = {
  name: 'nina',
  settings: ninaSettings.omit({ action_dim: true }),
  schema,
  hasDensity: true,
  lossUnit: 'nats',
  pools: true,
  describe: ({ backbone, n_layers, affine_dim, use_plu }) =>
    `NinA-${backbone}, ${n_layers} layers of width ${affine_dim}${use_plu ? '' : ', no PLU'}`,
  blueprint(key, config, W) {
    const { params, buffers } = flow.blueprint(fold(key, 'decoder'), config);
    return { params: { pool: initPool(fold(key, 'pool'), W, config.cond_dim), flow: params }, buffers };
  },
  contextShape: ({ cond_dim }, B) => [B, cond_dim],
  inputs: ({ chunk_length, action_dim }, B) => ({ noise: input('noise', [B, chunk_length, action_dim]) }),
  draws: ({ chunk_length, action_dim }, key, step, B) => ({
    noise: normals(fold(key, 'noise', step), B * chunk_length * action_dim),
  }),
  dropoutRate: ({ dropout }) => dropout,
  footprint({ backbone, chunk_length: T, action_dim: A, n_layers: n, affine_dim: H, block_depth }) {
    const D = T * A;
    if (backbone === 'mlp') return { row: 2 * D + n * (4 * H + 2 * D), nodes: 10 * n };
    return { row: 2 * D + n * (T / 2) * H * (2 + 4 * block_depth), nodes: 15 * n * block_depth };
  },
  derived(config, model): Record<string, NDArray> {
    const inverses = flow.pluInverse(config, flowOf(model));
    return inverses ? { inverses } : {};
  },
  bind(config, buffers, parameters, derived) {
    const p = parameters as DecoderParams<Tensor>;
    return {
      context: (tokens, mask) => pool(p.pool, tokens, mask),
      loss: (actions, seen, { noise }, dropout) => flow.loss(config, buffers, p.flow, actions, seen, noise, dropout),
      sample: (z, seen) => flow.sample(config, buffers, p.flow, z, seen, derived?.inverses),
      density: {
        logProb: (actions, seen) => flow.logProb(config, buffers, p.flow, actions, seen),
        sampleAndLogProb: (z, seen) => flow.sampleAndLogProb(config, buffers, p.flow, z, seen, derived?.inverses),
      },
    };
  },
  folding: {
    backends: BACKENDS,
    compile: (config, model, { backend, ...options }) => {
      const known = BACKENDS.find((name) => name === backend);
      if (!known) throw new Error(`NinA has no backend ${backend}; it has ${BACKENDS.join(', ')}.`);
      return compileNina(config, flowOf(model), { ...options, backend: known });
    },
    graphs(config, model) {
      const folded = foldNina(config, flowOf(model));
      return { sample: (B) => sampleGraph(folded, B), logProb: (B) => logProbGraph(folded, B) };
    },
  },
  reference: ninaReference,
};
