/**
 * A policy's decoder with its weights inside: noise to action chunks for one observation, several at once, with their
 * log-probabilities where the decoder has a density.
 */
import { type Density, decoderOf } from '../decoders/index.ts';
import { ProgramCache } from '../engine/cache.ts';
import type { Engine } from '../engine/engine.ts';
import { wasm } from '../engine/wasm.ts';
import { NinaError } from '../errors.ts';
import { freeze, input, type Tensor } from '../tensor/index.ts';
import type { PolicyBackend } from './backends.ts';
import type { PolicyConfig } from './config.ts';
import { bind, contextShape, decoderModel, derived, type PolicyModel } from './model.ts';

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

export interface EngineOptions {
  /** What runs graphs. The default backend needs none. */
  readonly engine?: Engine;
  /** Threads inside one operation of the engine. */
  readonly threads?: number;
}

/** What runs the graphs of a backend. @throws NinaError when there is none. */
export function engineFor(backend: PolicyBackend, engine: Engine | undefined): Engine {
  if (backend === 'wasm' || backend === 'wasm-int8') return wasm;
  if (engine) return engine;
  throw new NinaError(`The backend '${backend}' runs on an engine, and none was given. Pass one, or choose 'wasm'.`);
}

/** Chunks computed in one call; more are computed by this many. */
const MAX_BATCH = 16;

export async function compileDecoding(
  config: PolicyConfig,
  model: PolicyModel,
  backend: PolicyBackend,
  { engine, threads = 1 }: EngineOptions,
): Promise<Decoding> {
  const D = config.decoder.chunk_length * config.decoder.action_dim;
  // What has an encoder of 8 bits has a decoder as exact as without.
  const exact = backend === 'onnx-int8' ? 'onnx' : backend;
  const batches =
    exact !== 'graph' && decoderOf(config.decoder).folding
      ? await folded(config, model, exact, { engine, threads })
      : graph(config, model, engineFor(backend, engine), threads);
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

/** The graph that was trained, on an engine: one program per number of chunks. */
function graph(config: PolicyConfig, model: PolicyModel, engine: Engine, threads: number): Batches {
  const { chunk_length: T, action_dim: A } = config.decoder;
  const { decoder } = bind(config, model, freeze(model.params), freeze(derived(config, model)));
  const { density } = decoder;
  const seenOf = (K: number) => input('context', contextShape(config, K));
  const chunksOf = (name: string, K: number) => input(name, [K, T, A]);
  const samples = (z: Tensor, seen: Tensor): Record<string, Tensor> => {
    if (!density) return { actions: decoder.sample(z, seen) };
    const [actions, logProb] = density.sampleAndLogProb(z, seen);
    return { actions, logProb };
  };
  const options = { threads, weights: 'packed' } as const;
  const samplers = new ProgramCache(engine, (K) => samples(chunksOf('z', K), seenOf(K)), options);
  const score = ({ logProb }: Density, K: number) => ({ logProb: logProb(chunksOf('actions', K), seenOf(K)) });
  const scorers = density && new ProgramCache(engine, (K) => score(density, K), options);
  const count = (x: Float32Array) => x.length / (T * A);
  return {
    async sample(z, context) {
      const program = await samplers.get(count(z));
      const noise = 'z' in program.signature.inputs && { z };
      const { actions, logProb } = await program.run({ ...noise, context });
      return { actions, ...(logProb && { logProb }) };
    },
    ...(scorers && {
      async logProb(actions: Float32Array, context: Float32Array) {
        const program = await scorers.get(count(actions));
        return (await program.run({ actions, context })).logProb;
      },
    }),
    [Symbol.dispose]() {
      samplers[Symbol.dispose]();
      scorers?.[Symbol.dispose]();
    },
  };
}

/** A decoder folded for inference. It computes one thing at a time into memory of its own. */
async function folded(
  { decoder }: PolicyConfig,
  model: PolicyModel,
  backend: Exclude<PolicyBackend, 'onnx-int8'>,
  { engine, threads }: EngineOptions,
): Promise<Batches> {
  const { folding } = decoderOf(decoder);
  if (!folding) throw new Error(`A ${decoder.name} decoder has no backend ${backend}.`);
  const compiled = await folding.compile(decoder, decoderModel(model), {
    backend,
    maxBatch: MAX_BATCH,
    engine,
    threads,
  });
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
