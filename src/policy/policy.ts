/**
 * A policy that acts: its weights frozen into what encodes an observation and what decodes action chunks from noise.
 * It holds no episode: the answer is a function of the observation and the options.
 */
import { NinaError } from '../errors.ts';
import { Lifetime } from '../lifetime.ts';
import { fold, type Key, normals } from '../random.ts';
import { denormaliseActions, normaliseActions, type Observation, type Robot } from '../robot/index.ts';
import { resolveBackend } from './backend.ts';
import type { PolicyBackend } from './backends.ts';
import { checkChoice, checkChunks, checkSampling } from './checks.ts';
import { choose } from './choose.ts';
import { compileEncoder } from './compiled-encoder.ts';
import type { PolicyConfig, PolicyStatistics } from './config.ts';
import { type Chunks, compileDecoding, type EngineOptions, engineFor } from './decoding.ts';
import type { PolicyParts } from './model.ts';
import { rankIn, surpriseScale } from './surprise.ts';

export interface SampleOptions {
  /** Where the noise comes from: the same key gives the same actions. */
  readonly key: Key;
  /**
   * Scale of the noise: 1 samples the learned distribution, 0 answers with the image of the base's mode.
   * The checkpoint's own unless given.
   */
  readonly temperature?: number;
  /** Chunks to draw; the first is the one that is drawn alone. */
  readonly count?: number;
}

export interface InferOptions extends Omit<SampleOptions, 'count'> {
  /** Draws this many chunks at once and answers with the most likely. Needs a density and a temperature above 0. */
  readonly bestOf?: number;
  /**
   * [m, A], m < T: what of the previous chunk has not been executed. With `bestOf`, the answer is the most likely of
   * those that continue it, see `choose`.
   */
  readonly continuing?: Float32Array;
}

/** Chunks drawn for one observation. */
export interface Samples {
  /** Each [T, A] in the robot's units, clamped to its range. */
  readonly actions: readonly Float32Array[];
  /** Of each, before clamping: a clamped chunk has no density. Nats; absent for a decoder without density. */
  readonly logProb?: Float32Array;
  /** Time of the action decoder alone, as the field reports it. */
  readonly latencyMs: number;
}

export interface Inference {
  /** [T, A] in the robot's units, clamped to its range. */
  readonly actions: Float32Array;
  /** Nats, of the actions before clamping; absent for a decoder without density. */
  readonly logProb?: number;
  readonly latencyMs: number;
}

export interface Policy extends Disposable {
  readonly config: PolicyConfig;
  readonly statistics: PolicyStatistics;
  readonly backend: PolicyBackend;
  readonly robot: Robot;
  /** T, the actions of one answer. */
  readonly chunkLength: number;
  /** How many of them are executed before the next answer. */
  readonly multistep: number;
  /** @throws NinaError for words or entities the policy was not trained on, or options its decoder cannot serve. */
  infer(observation: Observation, options: InferOptions): Promise<Inference>;
  /** @throws NinaError for words or entities the policy was not trained on. */
  sample(observation: Observation, options: SampleOptions): Promise<Samples>;
  /**
   * log p in nats of chunks [K, T*A] in the robot's units, given an observation: [K]. The density is over actions whose ranges
   * are scaled to [-1, 1]. Absent for a decoder without density.
   */
  logProb?(observation: Observation, actions: Float32Array): Promise<Float32Array>;
  /**
   * How many nats less likely a chunk [T*A] is, given an observation, than the central chunk (z = 0); `surprise.ts` says
   * what to ask. Absent for a decoder without density.
   */
  surprise?(observation: Observation, actions: Float32Array): Promise<number>;
  /**
   * The share of held-out decisions at this temperature (the checkpoint's own unless given) that surprised less, in [0, 1].
   * @throws NinaError for a checkpoint without that statistic.
   */
  rankSurprise(nats: number, temperature?: number): number;
}

/** What decodes given noise into actions, for the self-test. */
export interface Runnable extends Policy {
  act(observation: Observation, z: Float32Array): Promise<Samples>;
}

/** A policy computed something that is no finite number: its weights are not usable, at least there. */
export class NotFiniteError extends NinaError {}

/** @throws NotFiniteError for actions that no robot can execute. */
export function requireFinite(actions: Float32Array): void {
  if (!actions.every(Number.isFinite))
    throw new NotFiniteError(
      'The policy answered with actions that are not finite: its weights are not usable, or the observation is far from all it was trained on.',
    );
}

/** Nats. A density so small that float32 calls it 0 surprises at least this much, which JSON can hold. */
const LARGEST_SURPRISE = 1e30;

/** D = T*A */
export const chunkSize = ({ decoder }: PolicyConfig) => decoder.chunk_length * decoder.action_dim;

export interface BuildOptions extends EngineOptions {
  /** What computes the policy: 'wasm' unless given, which needs no engine; 'auto' measures which exact one is the fastest. */
  readonly backend?: PolicyBackend | 'auto';
}

/** A policy from its parts, as they are before they are a checkpoint. No self-test. */
export async function buildPolicy(
  parts: PolicyParts,
  { backend: wanted, engine, threads = 1 }: BuildOptions = {},
): Promise<Runnable> {
  const { config, statistics, model } = parts;
  const backend = await resolveBackend(config, model, wanted, { engine, threads });
  const D = chunkSize(config);
  const encoder = await compileEncoder(
    parts,
    engineFor(backend, engine),
    threads,
    backend === 'onnx-int8' ? 'int8' : 'packed',
  );
  const decoding = await compileDecoding(config, model, backend, { engine, threads });
  const density = decoding.logProb;
  const life = new Lifetime('The policy', 'load it again', () => {
    encoder[Symbol.dispose]();
    decoding[Symbol.dispose]();
  });
  /** Chunks as the decoder gave them. */
  const draw = async (observation: Observation, z: Float32Array) => {
    const seen = await encoder.context(observation);
    const start = performance.now();
    const chunks = await decoding.sample(z, seen);
    const latencyMs = performance.now() - start;
    requireFinite(chunks.actions);
    return { chunks, latencyMs };
  };
  const { action } = config.robot;
  const clamped = ({ actions }: Chunks, k: number) => denormaliseActions(action, actions.slice(k * D, (k + 1) * D));
  const normalised = (actions: Float32Array) => normaliseActions(action, actions.slice());
  const act = (observation: Observation, z: Float32Array): Promise<Samples> =>
    life.during(async () => {
      const { chunks, latencyMs } = await draw(observation, z);
      const actions = Array.from({ length: z.length / D }, (_, k) => clamped(chunks, k));
      return { actions, latencyMs, ...(chunks.logProb && { logProb: chunks.logProb }) };
    });
  return {
    config,
    statistics,
    backend,
    robot: config.robot,
    chunkLength: config.decoder.chunk_length,
    multistep: config.acting.multistep,
    act,
    async sample(observation, { key, temperature = config.acting.temperature, count = 1 }) {
      checkSampling(temperature, count, 'count');
      return act(observation, noise(key, temperature, count, D));
    },
    infer: (observation, { key, temperature = config.acting.temperature, bestOf = 1, continuing }) =>
      life.during(async () => {
        checkSampling(temperature, bestOf, 'bestOf');
        checkChoice(config, { temperature, bestOf, continuing });
        const { chunks, latencyMs } = await draw(observation, noise(key, temperature, bestOf, D));
        const { logProb } = chunks;
        if (!logProb) return { actions: clamped(chunks, 0), latencyMs };
        const k = choose({ ...chunks, logProb }, continuing && normalised(continuing));
        return { actions: clamped(chunks, k), logProb: logProb[k], latencyMs };
      }),
    ...(density && {
      logProb: (observation: Observation, actions: Float32Array) =>
        life.during(async () => {
          checkChunks(actions, D);
          return density(normalised(actions), await encoder.context(observation));
        }),
      surprise: (observation: Observation, actions: Float32Array) =>
        life.during(async () => {
          checkChunks(actions, D);
          const seen = await encoder.context(observation);
          const central = (await decoding.sample(new Float32Array(D), seen)).logProb?.[0] ?? Number.NaN;
          const nats = central - (await density(normalised(actions), seen))[0];
          if (!Number.isNaN(nats)) return Math.min(nats, LARGEST_SURPRISE);
          throw new NotFiniteError('The log-probability of a chunk is not a number: the weights are not usable.');
        }),
    }),
    rankSurprise(nats, temperature = config.acting.temperature) {
      life.check();
      const scale = surpriseScale(statistics.surprise, temperature);
      if (scale) return rankIn(scale, nats);
      const known = statistics.surprise?.scales.map((one) => one.temperature).join(' and ');
      throw new NinaError(
        known
          ? `The checkpoint's stats.json has held-out surprises at temperature ${known}, none at ${temperature}.`
          : "The checkpoint's stats.json has no 'surprise': its training is not finished, it was trained by an earlier version, " +
              "or its decoder has no density. Of a NinA run, 'nina train --resume RUN' adds it to the last checkpoint.",
      );
    },
    [Symbol.dispose]: () => life[Symbol.dispose](),
  };
}

/** Base noise of `count` chunks [count, D]; that of the first does not depend on how many there are. */
function noise(key: Key, temperature: number, count: number, D: number): Float32Array {
  const z = new Float32Array(count * D);
  for (let k = 0; k < count; k++) z.set(normals(k === 0 ? key : fold(key, 'sample', k), D), k * D);
  return z.map((x) => x * temperature);
}
