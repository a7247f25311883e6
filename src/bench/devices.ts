/**
 * Whether another device computes what the CPU does: the encoder, a decode and a training step (the loss and every
 * gradient) of small models of each kind, from the same numbers on both, and how long each takes.
 */

import { decoderOf, decoderSchema } from '../decoders/index.ts';
import { encoderOf } from '../encoders/index.ts';
import type { Engine, Feed, Program } from '../engine/index.ts';
import { noDropout } from '../nn/index.ts';
import { bind, contextShape, derived, init } from '../policy/index.ts';
import { fold, type Key, key, normals } from '../random.ts';
import { PANDA } from '../robot/index.ts';
import {
  byPath,
  freeze,
  gradOf,
  input,
  mapTree,
  type NDArray,
  pack,
  symbols,
  type Tensor,
  feeds as views,
} from '../tensor/index.ts';
import { measureInterleaved } from './measure.ts';

export interface DeviceRow {
  readonly model: string;
  readonly what: 'encode' | 'decode' | 'training step';
  /** The largest difference from the CPU of any result, relative to that result's largest entry. */
  readonly difference: number;
  /** Which result it is of. */
  readonly worst: string;
  /** Medians. */
  readonly cpu_ms: number;
  readonly device_ms: number;
}

/** Sums of float32 in another order through a few layers; what is wrong differs by more. */
export const AGREEMENT = 1e-4;

/** A gradient this much smaller than the largest is rounding around zero, and its own size no yardstick. */
const NEGLIGIBLE = 1e-4;
const B = 4;
const ROUNDS = 3;

/** Small, with every operation of the large ones; nine layers are more pieces of a split than one shader writes. */
const DECODERS: Readonly<Record<string, object>> = {
  'NinA MLP': { name: 'nina', backbone: 'mlp', n_layers: 9, affine_dim: 16, cond_dim: 24 },
  'NinA Transformer': { name: 'nina', backbone: 'trans', n_layers: 2, affine_dim: 32, n_heads: 2, cond_dim: 24 },
  FLOWER: { name: 'flower', dit_dim: 32, n_heads: 2, n_layers: 1 },
  regression: { name: 'regression', hidden_dim: 32, cond_dim: 24 },
};
const DATA = {
  episodes: [{ where: '', categories: ['can', 'basket'], instruction: 'put the can in the basket' }],
  robot: PANDA,
  assets: {},
};

/**
 * Every comparison, one after the other.
 * @param rounds runs of each program that are timed
 * @throws NinaError if one of the devices is not there.
 */
export async function* compareDevices(cpu: Engine, device: Engine, rounds = ROUNDS): AsyncGenerator<DeviceRow> {
  const state = encoderOf({ name: 'state' });
  const encoder = state.configure(state.settings.parse({ dim: 16, heads: 2 }), DATA);
  for (const [model, settings] of Object.entries(DECODERS)) {
    const config = { encoder, decoder: decoderSchema.parse(settings) };
    const { buffers, ...drawn } = init(key(1), config);
    const params = moved(drawn.params);
    const policy = bind(config, { buffers }, freeze(params), freeze(derived(config, { params, buffers })));
    const { decoder } = policy;
    const inputs = state.inputs(encoder, B);
    const chunk = [B, config.decoder.chunk_length, config.decoder.action_dim];
    const z = input('z', chunk);
    const seen = input('seen', contextShape(config, B));
    const [actions, logProb] = decoder.density?.sampleAndLogProb(z, seen) ?? [decoder.sample(z, seen)];

    const p = symbols(params);
    const training = bind(config, { buffers }, p);
    const draws = decoderOf(config.decoder).inputs(config.decoder, B);
    const loss = training.decoder.loss(input('actions', chunk), training.context(inputs, noDropout), draws);
    const { layout, flat } = pack(params);

    const graphs: readonly [DeviceRow['what'], Record<string, Tensor>, Record<string, Float32Array>][] = [
      ['encode', { context: policy.context(inputs, noDropout) }, {}],
      ['decode', { actions, ...(logProb && { logProb }) }, {}],
      ['training step', { loss, ...byPath(gradOf(loss, p), 'gradient of ') }, views(layout, flat)],
    ];
    for (const [what, outputs, parameters] of graphs)
      yield { model, what, ...(await compare(cpu, device, outputs, parameters, rounds)) };
  }
}

/** Off the initial values, of which some are zero and hide what depends on them. */
function moved<P>(params: P): P {
  return mapTree(params, ({ shape, data }: NDArray, path) => {
    const noise = normals(fold(key(3), path), data.length);
    return { shape, data: data.map((w, i) => w + 0.02 * noise[i]) };
  }) as P;
}

async function compare(
  cpu: Engine,
  device: Engine,
  outputs: Record<string, Tensor>,
  parameters: Record<string, Feed>,
  rounds: number,
): Promise<Omit<DeviceRow, 'model' | 'what'>> {
  using here = await cpu.compile(outputs);
  using there = await device.compile(outputs);
  const feeds = { ...numbersFor(here, key(4)), ...parameters };
  const [expected, actual] = [await here.run(feeds), await there.run(feeds)];
  const { difference, worst } = worstOf(expected, actual);
  const contestants = [here, there].map((program) => ({ name: '', run: () => program.run(feeds) }));
  const [onCpu, onDevice] = await measureInterleaved(contestants, { warmup: 1, rounds });
  return { difference, worst, cpu_ms: onCpu.median_ms, device_ms: onDevice.median_ms };
}

/** Normal numbers for each input; of integers, of masks and of times those that exist. */
function numbersFor({ signature }: Program, from: Key): Record<string, Feed> {
  return Object.fromEntries(
    Object.entries(signature.inputs).map(([name, { shape, dtype }]): [string, Feed] => {
      const values = normals(
        fold(from, name),
        shape.reduce((a, b) => a * b, 1),
      );
      if (dtype === 'int64') return [name, BigInt64Array.from(values, (v) => (v > 0 ? 1n : 0n))];
      if (/present$|spoken$/.test(name)) return [name, values.fill(1)];
      return [name, name === 'actions' || name === 'times' ? values.map((v) => Math.abs(Math.tanh(v))) : values];
    }),
  );
}

function worstOf(expected: Record<string, Float32Array>, actual: Record<string, Float32Array>) {
  const largest = (values: Float32Array) => values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const floor = NEGLIGIBLE * Math.max(...Object.values(expected).map(largest));
  let found = { difference: 0, worst: Object.keys(expected)[0] };
  for (const [name, values] of Object.entries(expected)) {
    const off = values.reduce((most, v, i) => Math.max(most, Math.abs(v - actual[name][i])), 0);
    const difference = off / Math.max(largest(values), floor);
    if (!(difference <= found.difference)) found = { difference, worst: name };
  }
  return found;
}
