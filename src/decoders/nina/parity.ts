/**
 * Agreement with the reference: a fixture holds weights, inputs and what the authors' PyTorch module computed from them;
 * we rebuild the flow from its metadata and weights and compare every number.
 */
import * as z from 'zod';
import type { Engine } from '../../engine/engine.ts';
import { NinaError } from '../../errors.ts';
import { type Comparison, floats, relativeError, weightsOf, worstGradient } from '../../fixture.ts';
import { readSafetensors } from '../../safetensors.ts';
import type { SafetensorsFile } from '../../safetensors-format.ts';
import {
  byPath,
  feeds,
  gradOf,
  input,
  layoutOf,
  leaves,
  mean,
  type NDArray,
  neg,
  reshape,
  symbols,
  unpack,
} from '../../tensor/index.ts';
import { type NinaConfig, ninaSchema } from './config.ts';
import { decode, encode, logProb, pluInverse } from './nina.ts';
import { exportReference, importReference } from './reference.ts';

export type Parity = Comparison<'z' | 'log_det' | 'log_prob' | 'inverse' | 'loss' | 'grad_max'>;

const FORWARD_LIMIT = 3e-5;
const GRADIENT_LIMIT = 1e-4;
const INVERSE_LIMIT = 1e-4;
/** A reference whose own inverse is further off than this is no yardstick. */
const LARGEST_ROUND_TRIP = 1e-2;

const count = z.coerce.number().int().min(0);
const metadataSchema = z.object({
  backbone: z.enum(['mlp', 'trans']),
  n_layers: count,
  affine_dim: count,
  n_heads: count,
  block_depth: count,
  act_window_size: count,
  action_dim: count,
  cond_dim: count,
  use_plu: z.enum(['true', 'false']).transform((text) => text === 'true'),
  roundtrip_max_abs: z.coerce.number().min(0).max(LARGEST_ROUND_TRIP),
});

/**
 * Compares our decoder with the fixture in a safetensors file.
 * @throws NinaError if the file is no such fixture, or its weights do not fit its metadata.
 */
export async function parity(file: string, engine: Engine): Promise<Parity> {
  const fixture = readSafetensors(file);
  const { config, roundtrip } = configOf(file, fixture);
  const { model, dead } = importReference(config, weightsOf(fixture));
  const ours = await compute(config, model, file, fixture, engine);
  const gradients = Object.entries(exportReference(config, ours.gradients))
    // A dead parameter that the reference never even reads has no gradient there.
    .filter(([name]) => !dead.includes(name) || `expected.grad.${name}` in fixture.tensors);
  const [worst, gradMax] = worstGradient(file, fixture, Object.fromEntries(gradients));
  const relative = (name: 'z' | 'log_det' | 'log_prob' | 'inverse' | 'loss') =>
    relativeError(file, fixture, name, ours[name]);
  return {
    errors: {
      z: relative('z'),
      log_det: relative('log_det'),
      log_prob: relative('log_prob'),
      inverse: relative('inverse'),
      loss: relative('loss'),
      grad_max: gradMax,
    },
    limits: {
      z: FORWARD_LIMIT,
      log_det: FORWARD_LIMIT,
      log_prob: FORWARD_LIMIT,
      // The reference's inverse is only as good as its own round trip.
      inverse: Math.max(INVERSE_LIMIT, 2 * roundtrip),
      loss: FORWARD_LIMIT,
      grad_max: GRADIENT_LIMIT,
    },
    worstGradient: worst,
    dead,
  };
}

async function compute(
  config: NinaConfig,
  model: ReturnType<typeof importReference>['model'],
  file: string,
  fixture: SafetensorsFile,
  engine: Engine,
) {
  const { chunk_length: T, action_dim: A, cond_dim: C } = config;
  const B = Math.max(1, Math.floor(floats(file, fixture, 'cond').length / C));
  const cond = floats(file, fixture, 'cond', B * C);
  const x = floats(file, fixture, 'x', B * T * A);
  const zBase = floats(file, fixture, 'z_base', B * T * A);
  const p = symbols(model.params);
  const actions = input('x', [B, T, A]);
  const condition = input('cond', [B, C]);
  const layout = layoutOf(model.params);
  const parameterFeeds = Object.fromEntries(leaves<NDArray>(model.params).map(([path, { data }]) => [path, data]));

  const [z, logDet] = encode(config, model.buffers, p, actions, condition);
  const logProbability = logProb(config, model.buffers, p, actions, condition);
  const loss = neg(mean(logProbability));
  using forward = await engine.compile({
    z,
    log_det: logDet,
    log_prob: logProbability,
    loss: reshape(loss, [1]),
    ...byPath(gradOf(loss, p), 'grad.'),
  });
  const flat = new Float32Array(layout.size);
  const there = await forward.run({ ...parameterFeeds, x, cond }, feeds(layout, flat, 'grad.'));

  const inverses = pluInverse(config, model);
  const prepared = inverses && input('inverses', inverses.shape);
  const [back] = decode(config, model.buffers, p, input('z_base', [B, T, A]), condition, prepared);
  using inverse = await engine.compile({ inverse: back });
  const needed = Object.entries({
    ...parameterFeeds,
    z_base: zBase,
    cond,
    ...(inverses && { inverses: inverses.data }),
  });
  const { inverse: data } = await inverse.run(
    // The inverse does not read the PLU's parameters, only its inverse matrices.
    Object.fromEntries(needed.filter(([name]) => name in inverse.signature.inputs)),
  );
  return {
    z: there.z,
    log_det: there.log_det,
    log_prob: there.log_prob,
    loss: there.loss,
    inverse: data,
    gradients: unpack(model.params, flat),
  };
}

function configOf(file: string, { metadata }: SafetensorsFile): { config: NinaConfig; roundtrip: number } {
  const read = metadataSchema.safeParse(metadata);
  if (!read.success)
    throw new NinaError(`${file} is not a parity fixture: its metadata is wrong.\n${z.prettifyError(read.error)}`);
  const { act_window_size, roundtrip_max_abs, ...same } = read.data;
  const config = ninaSchema.safeParse({ ...same, chunk_length: act_window_size });
  if (!config.success)
    throw new NinaError(`${file} describes a decoder that cannot be.\n${z.prettifyError(config.error)}`);
  return { config: config.data, roundtrip: roundtrip_max_abs };
}
