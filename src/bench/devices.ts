/**
 * Whether another device computes what the CPU does: the encoder, a decode and a training step (the loss and every
 * gradient) of small models of each kind, from the same numbers on both, and how long each takes.
 */
import * as decoders from '../decoders/index.ts';
import * as state from '../encoders/state/index.ts';
import type { Engine, Feed, Program } from '../engine/index.ts';
import { noDropout } from '../nn/index.ts';
import { fold, type Key, key, normals } from '../random.ts';
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
const ROUNDS = 5;

/** Small, with every operation of the large ones. */
const DECODERS: Readonly<Record<string, object>> = {
  'NinA MLP': { decoder: 'nina', backbone: 'mlp', n_layers: 8, affine_dim: 32, cond_dim: 24 },
  'NinA Transformer': { decoder: 'nina', backbone: 'trans', n_layers: 4, affine_dim: 32, n_heads: 2, cond_dim: 24 },
  FLOWER: { decoder: 'flower', dit_dim: 32, n_heads: 2, n_layers: 2, embed_dim: 64 },
  regression: { decoder: 'regression', hidden_dim: 32, cond_dim: 24 },
};
const WORDS = [{ categories: ['can', 'basket'], instruction: 'put the can in the basket' }];

/** Every comparison, one after the other. @throws NinaError if one of the devices is not there. */
export async function* compareDevices(cpu: Engine, device: Engine): AsyncGenerator<DeviceRow> {
  const encoder = state.configFor(state.stateSchema.parse({ encoder_dim: 16, encoder_heads: 2 }), WORDS);
  const eyes = moved(state.init(key(1), encoder));
  const inputs = () => state.stateInputs(encoder, B);
  const token = state.encode(encoder, freeze(eyes), inputs(), noDropout);
  yield { model: 'state encoder', what: 'encode', ...(await compare(cpu, device, { token })) };

  for (const [model, settings] of Object.entries(DECODERS)) {
    const config = decoders.decoderSchema.parse(settings);
    const { params, buffers } = decoders.init(key(2), config, state.tokenWidth(encoder));
    const decoder = moved(params);
    const chunk = [B, config.chunk_length, config.action_dim];
    const inverses = decoders.inverses(config, { params: decoder, buffers });
    const seen = input('seen', decoders.contextShape(config, B, 1));
    const frozen = inverses && freeze(inverses);
    const drawn = decoders.sampleAndLogProb(config, { buffers }, freeze(decoder), input('z', chunk), seen, frozen);
    yield { model, what: 'decode', ...(await compare(cpu, device, { ...drawn })) };

    const all = { encoder: eyes, decoder };
    const p = symbols(all);
    const context = decoders.context(p.decoder, state.encode(encoder, p.encoder, inputs(), noDropout));
    const loss = decoders.loss(config, { buffers }, p.decoder, input('actions', chunk), context);
    const { layout, flat } = pack(all);
    const step = { loss, ...byPath(gradOf(loss, p), 'gradient of ') };
    yield { model, what: 'training step', ...(await compare(cpu, device, step, views(layout, flat))) };
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
  parameters: Record<string, Feed> = {},
): Promise<Omit<DeviceRow, 'model' | 'what'>> {
  using here = await cpu.compile(outputs);
  using there = await device.compile(outputs);
  const feeds = { ...numbersFor(here, key(4)), ...parameters };
  const [expected, actual] = [await here.run(feeds), await there.run(feeds)];
  const { difference, worst } = worstOf(expected, actual);
  const contestants = [here, there].map((program) => ({ name: '', run: () => program.run(feeds) }));
  const [onCpu, onDevice] = await measureInterleaved(contestants, { warmup: 1, rounds: ROUNDS });
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
