/**
 * Agreement with the reference: we rebuild the decoder of a fixture from its metadata and weights and compare velocity,
 * loss, gradients and samples (see ../../fixture.ts).
 */
import * as z from 'zod';
import type { Engine } from '../../engine/engine.ts';
import { NinaError } from '../../errors.ts';
import { type Comparison, floats, relativeError, weightsOf, worstGradient } from '../../fixture.ts';
import { readSafetensors } from '../../safetensors.ts';
import type { SafetensorsFile } from '../../safetensors-format.ts';
import { byPath, feeds, gradOf, input, layoutOf, leaves, reshape, symbols, unpack } from '../../tensor/index.ts';
import { flowerSchema } from './config.ts';
import { between, loss, sample, velocity } from './flower.ts';
import { importReference } from './reference.ts';

export type Parity = Comparison<'velocity' | 'loss' | 'sample' | 'grad_max'>;

const LIMIT = 1e-4;

const count = z.coerce.number().int().min(0);
const metadataSchema = z.object({
  decoder: z.literal('flower'),
  dit_dim: count,
  n_heads: count,
  n_layers: count,
  action_dim: count,
  embed_dim: count,
  act_window_size: count,
  sampling_steps: count,
  rope_theta: z.coerce.number(),
  batch: count.min(1),
  tokens: count.min(1),
});

/**
 * Compares our decoder with the fixture in a safetensors file.
 * @throws NinaError if the file is no such fixture, or its weights do not fit its metadata.
 */
export async function parity(file: string, engine: Engine): Promise<Parity> {
  const fixture = readSafetensors(file);
  const { config, width: E, batch: B, tokens: S } = configOf(file, fixture);
  const { params, unused } = importReference(config, E, weightsOf(fixture));
  const shapes = {
    actions: [B, config.chunk_length, config.action_dim],
    noise: [B, config.chunk_length, config.action_dim],
    z_base: [B, config.chunk_length, config.action_dim],
    features: [B, S, E],
    t: [B],
  };
  type Name = keyof typeof shapes;
  const x = (name: Name) => input(name, shapes[name]);
  const numbers = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  const data = (...names: Name[]) =>
    Object.fromEntries(names.map((name) => [name, floats(file, fixture, name, numbers(shapes[name]))]));

  const p = symbols(params);
  const weights = Object.fromEntries(leaves(params).map(([path, leaf]) => [path, leaf.data]));
  const error = loss(config, p, x('actions'), x('features'), x('noise'), x('t'));
  using training = await engine.compile({
    velocity: velocity(config, p, between(x('actions'), x('noise'), x('t')), x('t'), x('features')),
    loss: reshape(error, [1]),
    ...byPath(gradOf(error, p), 'grad.'),
  });
  const layout = layoutOf(params);
  const flat = new Float32Array(layout.size);
  const there = await training.run(
    { ...weights, ...data('actions', 'features', 'noise', 't') },
    feeds(layout, flat, 'grad.'),
  );
  using sampling = await engine.compile({ sample: sample(config, p, x('z_base'), x('features')) });
  const drawn = await sampling.run({ ...weights, ...data('features', 'z_base') });

  const [worst, gradMax] = worstGradient(file, fixture, Object.fromEntries(leaves(unpack(params, flat))));
  return {
    errors: {
      velocity: relativeError(file, fixture, 'velocity', there.velocity),
      loss: relativeError(file, fixture, 'loss', there.loss),
      sample: relativeError(file, fixture, 'sample_unclamped', drawn.sample),
      grad_max: gradMax,
    },
    limits: { velocity: LIMIT, loss: LIMIT, sample: LIMIT, grad_max: LIMIT },
    worstGradient: worst,
    dead: unused,
  };
}

function configOf(file: string, { metadata }: SafetensorsFile) {
  const read = metadataSchema.safeParse(metadata);
  if (!read.success)
    throw new NinaError(`${file} is not a parity fixture: its metadata is wrong.\n${z.prettifyError(read.error)}`);
  const { decoder: _, act_window_size, sampling_steps, embed_dim: width, batch, tokens, ...same } = read.data;
  const config = flowerSchema.safeParse({
    ...same,
    chunk_length: act_window_size,
    num_sampling_steps: sampling_steps,
  });
  if (!config.success)
    throw new NinaError(`${file} describes a decoder that cannot be.\n${z.prettifyError(config.error)}`);
  return { config: config.data, width, batch, tokens };
}
