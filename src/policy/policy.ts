/**
 * A policy that acts: weights baked into what condenses an observation and what decodes action chunks from noise.
 * It holds no episode: the answer is a function of the observation and the options.
 */
import type * as state from '../encoders/state/index.ts';
import { NinaError } from '../errors.ts';
import { fold, type Key, normals } from '../random.ts';
import { LIBERO_ACTION } from './action.ts';
import { resolveBackend } from './backend.ts';
import type { PolicyBackend } from './backends.ts';
import { type Checkpoint, type Manifest, readCheckpoint } from './checkpoint.ts';
import { choose } from './choose.ts';
import type { PolicyConfig, PolicyStatistics } from './config.ts';
import { type Chunks, compileDecoding } from './decoding.ts';
import { compileSeeing } from './seeing.ts';
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
  /** Each [T, A], clamped to [-1, 1]. */
  readonly actions: readonly Float32Array[];
  /** Of each, before clamping: a clamped chunk has no density. Nats; absent for a decoder without density. */
  readonly logProb?: Float32Array;
  /** Time of the action decoder alone, as the field reports it. */
  readonly latencyMs: number;
}

export interface Inference {
  /** [T, A], clamped to [-1, 1] */
  readonly actions: Float32Array;
  /** Nats, of the actions before clamping; absent for a decoder without density. */
  readonly logProb?: number;
  readonly latencyMs: number;
}

export interface Policy extends Disposable {
  readonly config: PolicyConfig;
  readonly statistics: PolicyStatistics;
  readonly backend: PolicyBackend;
  /** T, the actions of one answer. */
  readonly chunkLength: number;
  /** How many of them are executed before the next answer. */
  readonly multistep: number;
  /** @throws NinaError for words or entities the policy was not trained on, or options its decoder cannot serve. */
  infer(observation: state.StateObservation, options: InferOptions): Promise<Inference>;
  /** @throws NinaError for words or entities the policy was not trained on. */
  sample(observation: state.StateObservation, options: SampleOptions): Promise<Samples>;
  /** log p in nats of chunks [K, T*A] given an observation: [K]. Absent for a decoder without density. */
  logProb?(observation: state.StateObservation, actions: Float32Array): Promise<Float32Array>;
  /**
   * How many nats less likely a chunk [T*A] is, given an observation, than the central chunk (z = 0); `surprise.ts` says
   * what to ask. Absent for a decoder without density.
   */
  surprise?(observation: state.StateObservation, actions: Float32Array): Promise<number>;
  /**
   * The share of held-out decisions at this temperature (the checkpoint's own unless given) that surprised less, in [0, 1].
   * @throws NinaError for a checkpoint without that statistic.
   */
  rankSurprise(nats: number, temperature?: number): number;
}

export interface LoadedPolicy extends Policy {
  readonly manifest: Manifest;
  /** The checkpoint's directory. */
  readonly directory: string;
}

/** What decodes noise into actions, for the self-test. */
interface Runnable extends Policy {
  act(observation: state.StateObservation, z: Float32Array): Promise<Samples>;
}

/**
 * Largest difference that other hardware or another backend may make in an action. Float32 sums in another order differ
 * by 1e-6 and a flow can amplify that a hundredfold; a wrong weight moves actions by far more.
 */
const SELF_TEST_TOLERANCE = 1e-3;
/** Of weights rounded to 8 bits: the share of the action range (2) that this backend may differ by. */
const INT8_TOLERANCE = 2 * 2e-2;

/**
 * Loads a checkpoint (or the newest one of a training run) and runs its self-test.
 * @param backend what computes the decoder; 'auto' measures which exact one is the fastest here
 * @throws NinaError for anything that is missing, does not match or answers differently than when it was saved.
 * @throws UsageError for a backend that this decoder does not have.
 */
export async function loadPolicy(
  location: string,
  { threads = 1, backend: wanted }: { threads?: number; backend?: PolicyBackend | 'auto' } = {},
): Promise<LoadedPolicy> {
  const { manifest, directory, ...checkpoint } = readCheckpoint(location);
  if (JSON.stringify(checkpoint.config.action) !== JSON.stringify(LIBERO_ACTION))
    throw new NinaError(
      `${directory} acts by another action specification than this version's simulator and data. Its config.json says: ` +
        JSON.stringify(checkpoint.config.action),
    );
  const policy = await buildPolicy(checkpoint, { backend: wanted, threads });
  const { observation, z, actions } = manifest.self_test;
  const [answer] = (await policy.act(observation, Float32Array.from(z))).actions;
  const difference = actions.reduce((worst, wanted, i) => Math.max(worst, gap(answer![i], wanted)), 0);
  const { backend } = policy;
  const tolerance = backend === 'wasm-int8' ? INT8_TOLERANCE : SELF_TEST_TOLERANCE;
  if (actions.length !== answer!.length || !(difference <= tolerance)) {
    policy[Symbol.dispose]();
    throw new NinaError(
      `${directory} failed its self-test: on the stored input its actions differ by ${difference} from those it gave when ` +
        `it was saved (at most ${tolerance} is the rounding of backend '${backend}'). Weights, statistics or configuration ` +
        'are corrupted: copy the checkpoint again, or save it again from the training run.',
    );
  }
  return { ...policy, manifest, directory };
}

/** What the weights answer to an observation and base noise now: what the manifest stores for the self-test. */
export async function recordSelfTest(
  checkpoint: Pick<Checkpoint, 'config' | 'statistics' | 'model'>,
  observation: state.StateObservation,
  key: Key,
): Promise<Manifest['self_test']> {
  // As trained, so that the test also judges what other backends make of the weights.
  using policy = await buildPolicy(checkpoint, { backend: 'graph' });
  const z = normals(key, chunkSize(checkpoint.config));
  const { actions } = await policy.act(observation, z);
  return {
    observation: {
      proprio: Array.from(observation.proprio),
      entities: Array.from(observation.entities),
      categories: [...observation.categories],
      instruction: observation.instruction,
    },
    z: Array.from(z),
    actions: Array.from(actions[0]!),
  };
}

const chunkSize = ({ decoder }: PolicyConfig) => decoder.chunk_length * decoder.action_dim;

/** A missing or non-finite number is infinitely far. */
const gap = (got: number | undefined, wanted: number) =>
  got === undefined || !Number.isFinite(got) ? Number.POSITIVE_INFINITY : Math.abs(got - wanted);

/** A policy from its parts, as they are before they are a checkpoint. No self-test. */
export async function buildPolicy(
  { config, statistics, model }: Pick<Checkpoint, 'config' | 'statistics' | 'model'>,
  { backend: wanted, threads = 1 }: { backend?: PolicyBackend | 'auto'; threads?: number } = {},
): Promise<Runnable> {
  const backend = await resolveBackend(config, model, wanted);
  const D = chunkSize(config);
  const seeing = await compileSeeing(config, statistics, model, threads);
  const decoding = await compileDecoding(config, model, backend, threads);
  const density = decoding.logProb;
  /** Chunks as the decoder gave them. */
  const draw = async (observation: state.StateObservation, z: Float32Array) => {
    const seen = await seeing.see(observation);
    const start = performance.now();
    const chunks = await decoding.sample(z, seen);
    const latencyMs = performance.now() - start;
    if (!chunks.actions.every(Number.isFinite))
      throw new NinaError('The policy answered with actions that are not finite: its weights are not usable.');
    return { chunks, latencyMs };
  };
  const clamped = ({ actions }: Chunks, k: number) =>
    actions.subarray(k * D, (k + 1) * D).map((a) => Math.min(1, Math.max(-1, a)));
  const act = async (observation: state.StateObservation, z: Float32Array): Promise<Samples> => {
    const { chunks, latencyMs } = await draw(observation, z);
    const actions = Array.from({ length: z.length / D }, (_, k) => clamped(chunks, k));
    return { actions, latencyMs, ...(chunks.logProb && { logProb: chunks.logProb }) };
  };
  return {
    config,
    statistics,
    backend,
    chunkLength: config.decoder.chunk_length,
    multistep: config.multistep,
    act,
    sample: (observation, { key, temperature = config.temperature, count = 1 }) =>
      act(observation, noise(key, temperature, count, D)),
    async infer(observation, { key, temperature = config.temperature, bestOf = 1, continuing }) {
      checkChoice(config, { temperature, bestOf, continuing });
      const { chunks, latencyMs } = await draw(observation, noise(key, temperature, bestOf, D));
      const { logProb } = chunks;
      if (!logProb) return { actions: clamped(chunks, 0), latencyMs };
      const k = choose({ ...chunks, logProb }, continuing);
      return { actions: clamped(chunks, k), logProb: logProb[k]!, latencyMs };
    },
    ...(density && {
      logProb: async (observation: state.StateObservation, actions: Float32Array) =>
        density(actions, await seeing.see(observation)),
      async surprise(observation: state.StateObservation, actions: Float32Array) {
        const seen = await seeing.see(observation);
        const central = (await decoding.sample(new Float32Array(D), seen)).logProb?.[0] ?? Number.NaN;
        const nats = central - (await density(actions, seen))[0]!;
        if (Number.isFinite(nats)) return nats;
        throw new NinaError(`The log-probability of a chunk is not finite (${nats}): the weights are not usable.`);
      },
    }),
    rankSurprise(nats, temperature = config.temperature) {
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
    [Symbol.dispose]() {
      seeing[Symbol.dispose]();
      decoding[Symbol.dispose]();
    },
  };
}

/** Base noise of `count` chunks [count, D]; that of the first does not depend on how many there are. */
function noise(key: Key, temperature: number, count: number, D: number): Float32Array {
  const z = new Float32Array(count * D);
  for (let k = 0; k < count; k++) z.set(normals(k === 0 ? key : fold(key, 'sample', k), D), k * D);
  return z.map((x) => x * temperature);
}

function checkChoice(
  { decoder }: PolicyConfig,
  { temperature, bestOf, continuing }: { temperature: number; bestOf: number; continuing: Float32Array | undefined },
): void {
  const { chunk_length: T, action_dim: A } = decoder;
  if (bestOf === 1 && !continuing) return;
  if (decoder.decoder !== 'nina')
    throw new NinaError(`A ${decoder.decoder} decoder has no log-probabilities to choose by; only NinA decoders have.`);
  if (!Number.isInteger(bestOf) || bestOf < 1) throw new NinaError(`bestOf must be an integer from 1; got ${bestOf}.`);
  if (bestOf > 1 && temperature === 0)
    throw new NinaError(
      `At temperature 0 all ${bestOf} samples are the same one. Choose a temperature above 0, up to 1.`,
    );
  if (continuing && (continuing.length % A !== 0 || continuing.length >= T * A || continuing.length === 0))
    throw new NinaError(
      `continuing must hold 1 to ${T - 1} actions of ${A} numbers, fewer than the ${T} of a chunk; got ${continuing.length} numbers.`,
    );
}
