/**
 * A policy's decoder with its weights inside: noise to action chunks for one observation, several at once, with their
 * log-probabilities where the decoder has a density.
 */
import * as decoders from '../decoders/index.ts';
import { compileNina } from '../decoders/nina/index.ts';
import { cpu, ProgramCache } from '../engine/index.ts';
import { freeze, input } from '../tensor/index.ts';
import type { PolicyBackend } from './backends.ts';
import type { PolicyConfig } from './config.ts';
import { contextShape, decoderOf, type PolicyModel } from './model.ts';

/** Chunks of one observation; D = T*A. */
export interface Chunks {
  /** [K, D], not clamped */
  readonly actions: Float32Array;
  /** [K] nats */
  readonly logProb?: Float32Array;
}

export interface Decoding extends Disposable {
  readonly backend: PolicyBackend;
  /** z [K, D] to chunks, given what the encoder made of one observation. */
  sample(z: Float32Array, seen: Float32Array): Promise<Chunks>;
  /** log p [K] of chunks [K, D], in nats. Absent for a decoder that has no density. */
  logProb?(actions: Float32Array, seen: Float32Array): Promise<Float32Array>;
}

/** Chunks computed in one call; more are computed by this many. */
const MAX_BATCH = 16;

export async function compileDecoding(
  config: PolicyConfig,
  model: PolicyModel,
  backend: PolicyBackend,
  threads: number,
): Promise<Decoding> {
  const D = config.decoder.chunk_length * config.decoder.action_dim;
  const batches = backend === 'graph' ? graph(config, model, threads) : await folded(config, model, backend, threads);
  const sample = async (z: Float32Array, seen: Float32Array): Promise<Chunks> => {
    const parts: Chunks[] = [];
    for (const part of inBatches(z, D)) parts.push(await batches.sample(part, repeat(seen, part.length / D)));
    if (parts.length === 1) return parts[0];
    const actions = concatenate(parts.map((part) => part.actions));
    const logProbs = parts.flatMap(({ logProb }) => logProb ?? []);
    return { actions, ...(logProbs.length > 0 && { logProb: concatenate(logProbs) }) };
  };
  const score = batches.logProb;
  return {
    backend,
    sample,
    ...(score && {
      logProb: async (actions: Float32Array, seen: Float32Array) => {
        const parts: Float32Array[] = [];
        for (const part of inBatches(actions, D)) parts.push(await score(part, repeat(seen, part.length / D)));
        return concatenate(parts);
      },
    }),
    [Symbol.dispose]: () => batches[Symbol.dispose](),
  };
}

/** A batch of at most 16 chunks x [K, D], and the condition of each; results are the caller's to keep. */
interface Batches extends Disposable {
  sample(z: Float32Array, seen: Float32Array): Promise<Chunks>;
  logProb?(actions: Float32Array, seen: Float32Array): Promise<Float32Array>;
}

/** The graph that was trained, on ONNX Runtime: one program per number of chunks. */
function graph(config: PolicyConfig, model: PolicyModel, threads: number): Batches {
  const { decoder } = config;
  const { chunk_length: T, action_dim: A } = decoder;
  const p = freeze(model.params.decoder);
  const inverses = decoders.inverses(decoder, decoderOf(model));
  const frozenInverses = inverses && freeze(inverses);
  const options = { threads, weights: 'packed' } as const;
  const seenOf = (K: number) => input('context', contextShape(config, K));
  const samplers = new ProgramCache(
    cpu,
    (K) => {
      const z = input('z', [K, T, A]);
      const { actions, logProb } = decoders.sampleAndLogProb(decoder, model, p, z, seenOf(K), frozenInverses);
      return { actions, ...(logProb && { logProb }) };
    },
    options,
  );
  const density = (K: number) => decoders.logProb(decoder, model, p, input('actions', [K, T, A]), seenOf(K));
  const scorers = new ProgramCache(cpu, (K) => ({ logProb: density(K)! }), options);
  const count = (x: Float32Array) => x.length / (T * A);
  return {
    async sample(z, context) {
      const program = await samplers.get(count(z));
      // Regression takes no noise.
      const noise = 'z' in program.signature.inputs && { z };
      const { actions, logProb } = await program.run({ ...noise, context });
      return { actions: actions, ...(logProb && { logProb }) };
    },
    ...(density(1) && {
      async logProb(actions: Float32Array, context: Float32Array) {
        const program = await scorers.get(count(actions));
        return (await program.run({ actions, context })).logProb;
      },
    }),
    [Symbol.dispose]() {
      samplers[Symbol.dispose]();
      scorers[Symbol.dispose]();
    },
  };
}

/** A NinA decoder folded for inference. It computes one thing at a time into memory of its own. */
async function folded(
  { decoder }: PolicyConfig,
  model: PolicyModel,
  backend: Exclude<PolicyBackend, 'graph'>,
  threads: number,
): Promise<Batches> {
  const { params, buffers } = decoderOf(model);
  if (decoder.decoder !== 'nina' || !params.nina)
    throw new Error(`The backend ${backend} is for NinA decoders; this one is ${decoder.decoder}.`);
  const flow = { params: params.nina.flow, buffers };
  const compiled = await compileNina(decoder, flow, { engine: cpu, backend, maxBatch: MAX_BATCH, threads });
  const D = decoder.chunk_length * decoder.action_dim;
  const inTurn = queue();
  return {
    sample: (z, seen) =>
      inTurn(async () => {
        const { actions, logProb } = await compiled.sample(z, seen, z.length / D);
        return { actions: actions.slice(), logProb: logProb.slice() };
      }),
    logProb: (actions, seen) => inTurn(async () => (await compiled.logProb(actions, seen, actions.length / D)).slice()),
    [Symbol.dispose]: () => compiled[Symbol.dispose](),
  };
}

/** Runs one piece of work after the other. */
function queue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    // The failure is its caller's; the next piece of work runs all the same.
    last = result.catch(() => {});
    return result;
  };
}

function* inBatches(chunks: Float32Array, D: number): Generator<Float32Array> {
  for (let from = 0; from < chunks.length; from += MAX_BATCH * D)
    yield chunks.subarray(from, Math.min(from + MAX_BATCH * D, chunks.length));
}

function repeat(seen: Float32Array, K: number): Float32Array {
  if (K === 1) return seen;
  const out = new Float32Array(K * seen.length);
  for (let k = 0; k < K; k++) out.set(seen, k * seen.length);
  return out;
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
