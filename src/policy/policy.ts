/**
 * A policy that acts: weights baked into two programs, one that condenses an observation and one that decodes an action
 * chunk from noise. It holds no episode: the answer is a function of the observation, the key and the temperature.
 */
import * as decoders from '../decoders/index.ts';
import * as state from '../encoders/state/index.ts';
import { NinaError } from '../errors.ts';
import { noDropout } from '../nn/index.ts';
import { type Key, normals } from '../random.ts';
import { compile, constant, input, mapTree, type NDArray, type Program, type Tensor } from '../tensor/index.ts';
import { LIBERO_ACTION } from './action.ts';
import { type Checkpoint, type Manifest, readCheckpoint } from './checkpoint.ts';
import type { PolicyConfig } from './config.ts';
import { context, contextShape, decoderOf, type PolicyModel, type PolicyParams } from './model.ts';

export interface InferOptions {
  /** Where the noise comes from: the same key gives the same actions. */
  readonly key: Key;
  /**
   * Scale of the noise: 1 samples the learned distribution, 0 answers with the image of the base's mode.
   * The checkpoint's own unless given.
   */
  readonly temperature?: number;
}

export interface Inference {
  /** [T, A], clamped to [-1, 1] */
  readonly actions: Float32Array;
  /** Time of the action decoder alone, as the field reports it. */
  readonly latencyMs: number;
}

export interface Policy extends Disposable {
  readonly config: PolicyConfig;
  /** T, the actions of one answer. */
  readonly chunkLength: number;
  /** How many of them are executed before the next answer. */
  readonly multistep: number;
  /** @throws NinaError for words or entities the policy was not trained on. */
  infer(observation: state.StateObservation, options: InferOptions): Promise<Inference>;
}

export interface LoadedPolicy extends Policy {
  readonly manifest: Manifest;
  /** The checkpoint's directory. */
  readonly directory: string;
}

/** What decodes noise into actions, for `selfTest`. */
interface Runnable extends Policy {
  act(observation: state.StateObservation, z: Float32Array): Promise<Inference>;
}

/**
 * Largest difference that other hardware may make in an action. Float32 sums in another order differ by 1e-6 and
 * a flow can amplify that a hundredfold; a wrong weight moves actions by far more.
 */
const SELF_TEST_TOLERANCE = 1e-3;

/**
 * Loads a checkpoint (or the newest one of a training run) and runs its self-test.
 * @throws NinaError for anything that is missing, does not match or answers differently than when it was saved.
 */
export async function loadPolicy(location: string, { threads = 1 } = {}): Promise<LoadedPolicy> {
  const { manifest, directory, ...checkpoint } = readCheckpoint(location);
  if (JSON.stringify(checkpoint.config.action) !== JSON.stringify(LIBERO_ACTION))
    throw new NinaError(
      `${directory} acts by another action specification than this version's simulator and data. Its config.json says: ` +
        JSON.stringify(checkpoint.config.action),
    );
  const policy = await build(checkpoint, threads);
  const { observation, z, actions } = manifest.self_test;
  const answer = await policy.act(observation, Float32Array.from(z));
  const difference = actions.reduce((worst, wanted, i) => Math.max(worst, gap(answer.actions[i], wanted)), 0);
  if (actions.length !== answer.actions.length || !(difference <= SELF_TEST_TOLERANCE)) {
    policy[Symbol.dispose]();
    throw new NinaError(
      `${directory} failed its self-test: on the stored input its actions differ by ${difference} from those it gave when ` +
        `it was saved (at most ${SELF_TEST_TOLERANCE} is rounding). Weights, statistics or configuration are corrupted: copy ` +
        'the checkpoint again, or save it again from the training run.',
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
  using policy = await build(checkpoint, 1);
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
    actions: Array.from(actions),
  };
}

const chunkSize = ({ decoder }: PolicyConfig) => decoder.chunk_length * decoder.action_dim;

/** A missing or non-finite number is infinitely far. */
const gap = (got: number | undefined, wanted: number) =>
  got === undefined || !Number.isFinite(got) ? Number.POSITIVE_INFINITY : Math.abs(got - wanted);

async function build(
  { config, statistics, model }: Pick<Checkpoint, 'config' | 'statistics' | 'model'>,
  threads: number,
): Promise<Runnable> {
  const encoder = await compileEncoder(config, model, threads);
  const decoder = await compileDecoder(config, model, threads);
  const scenes = sceneCache(config);
  const act = async (observation: state.StateObservation, z: Float32Array): Promise<Inference> => {
    checkObservation(observation);
    const { categories, instruction, proprio, entities } = observation;
    // Fresh arrays: a second question may be asked before the first is answered.
    const arrays = state.stateArrays(config.encoder, 1);
    state.writeState(statistics, scenes(categories, instruction), proprio, entities, arrays, 0);
    const encoded = await encoder.run(state.feedsOf(arrays));
    const start = performance.now();
    // Regression takes no noise.
    const noise = 'z' in decoder.signature.inputs && { z };
    const { actions } = await decoder.run({ ...noise, context: encoded.context! });
    const latencyMs = performance.now() - start;
    if (!actions!.every(Number.isFinite))
      throw new NinaError('The policy answered with actions that are not finite: its weights are not usable.');
    return { actions: actions!.map((a) => Math.min(1, Math.max(-1, a))), latencyMs };
  };
  return {
    config,
    chunkLength: config.decoder.chunk_length,
    multistep: config.multistep,
    act,
    infer: (observation, { key, temperature = config.temperature }) =>
      act(
        observation,
        normals(key, chunkSize(config)).map((x) => x * temperature),
      ),
    [Symbol.dispose]() {
      encoder[Symbol.dispose]();
      decoder[Symbol.dispose]();
    },
  };
}

const frozen = (params: PolicyParams<NDArray>): PolicyParams<Tensor> =>
  mapTree(params, ({ data, shape }: NDArray) => constant(data, shape));

function compileEncoder(config: PolicyConfig, { params }: PolicyModel, threads: number): Promise<Program> {
  const inputs = state.stateInputs(config.encoder, 1);
  return compile({ outputs: { context: context(config, frozen(params), inputs, noDropout) }, threads });
}

function compileDecoder(config: PolicyConfig, model: PolicyModel, threads: number): Promise<Program> {
  const { decoder } = config;
  const inverses = decoders.inverses(decoder, decoderOf(model));
  const actions = decoders.sample(
    decoder,
    model,
    frozen(model.params).decoder,
    input('z', [1, decoder.chunk_length, decoder.action_dim]),
    input('context', contextShape(config, 1)),
    inverses && constant(inverses.data, inverses.shape),
  );
  return compile({ outputs: { actions }, threads });
}

/** Scenes change between episodes, not between steps. */
function sceneCache(config: PolicyConfig) {
  let last: { name: string; scene: state.Scene } | undefined;
  return (categories: readonly string[], instruction: string): state.Scene => {
    const name = JSON.stringify([categories, instruction]);
    if (last?.name !== name) last = { name, scene: state.scene(config.encoder, categories, instruction) };
    return last.scene;
  };
}

function checkObservation({ proprio, entities, categories }: state.StateObservation): void {
  const wanted = categories.length * state.ENTITY_SIZE;
  if (proprio.length !== state.PROPRIO_SIZE || entities.length !== wanted)
    throw new NinaError(
      `An observation needs ${state.PROPRIO_SIZE} proprioceptive numbers and ${state.ENTITY_SIZE} for each of its ` +
        `${categories.length} entities (${wanted}); got ${proprio.length} and ${entities.length}.`,
    );
}
