/**
 * What a checkpoint's weights answer to one observation and one noise, stored when it is saved and asked again when it is
 * loaded.
 */
import * as z from 'zod';
import { encoderOf } from '../encoders/index.ts';
import type { Engine } from '../engine/engine.ts';
import { NinaError } from '../errors.ts';
import { noDropout } from '../nn/index.ts';
import { type Key, normals } from '../random.ts';
import {
  type ActionSpec,
  denormaliseActions,
  normaliseActions,
  type Observation,
  observationFromJson,
  observationSchema,
  observationToJson,
} from '../robot/index.ts';
import { freeze, input } from '../tensor/index.ts';
import { isRounded } from './backends.ts';
import { observationWriter } from './compiled-encoder.ts';
import { bind, derivedFeeds, derivedInputs, type PolicyParts } from './model.ts';
import { chunkSize, type Runnable, requireFinite } from './policy.ts';

/** As manifest.json holds it; T*A numbers of noise, and of what these weights must answer. */
export const selfTestSchema = z.strictObject({
  observation: observationSchema,
  z: z.array(z.number()).describe('base noise [T * A]'),
  actions: z.array(z.number()).describe('what these weights must answer [T * A]'),
});
export type StoredSelfTest = z.output<typeof selfTestSchema>;

/** A question that is put to a model whose weights go on changing, as those of a training do. */
export interface SelfTest extends Disposable {
  /**
   * Question and answer of the weights as they are now.
   * @throws NotFiniteError for weights that answer with no finite number.
   */
  record(): Promise<StoredSelfTest>;
}

/**
 * One program from the observation to the actions, over the model's own arrays: recording compiles nothing. It computes as
 * trained, so that the test also judges what other backends make of the weights.
 */
export async function prepareSelfTest(
  parts: PolicyParts,
  observation: Observation,
  key: Key,
  engine: Engine,
): Promise<SelfTest> {
  const { config, model } = parts;
  const { chunk_length: T, action_dim: A } = config.decoder;
  const policy = bind(config, model, freeze(model.params), derivedInputs(config, model));
  const seen = policy.context(encoderOf(config.encoder).inputs(config.encoder, 1), noDropout);
  const program = await engine.compile({ actions: policy.decoder.sample(input('z', [1, T, A]), seen) });
  const z = normals(key, chunkSize(config));
  const noise = 'z' in program.signature.inputs && { z };
  const seenNumbers = observationWriter(parts)(observation);
  return {
    async record() {
      const { actions } = await program.run({ ...seenNumbers, ...noise, ...derivedFeeds(config, model) });
      requireFinite(actions);
      return {
        observation: observationToJson(observation),
        z: Array.from(z),
        actions: Array.from(denormaliseActions(config.robot.action, actions.slice())),
      };
    },
    [Symbol.dispose]: () => program[Symbol.dispose](),
  };
}

/**
 * Largest difference that other hardware or another backend may make in an action, whose range is taken as [-1, 1]. Float32
 * sums in another order differ by 1e-6 and a flow can amplify that a hundredfold; a wrong weight moves actions by far more.
 */
const SELF_TEST_TOLERANCE = 1e-3;
/** Of weights rounded to 8 bits: the share of the action range (2) that this backend may differ by. */
const INT8_TOLERANCE = 2 * 2e-2;

/** @throws NinaError for a policy that answers otherwise than when it was saved; it is disposed of. */
export async function requireSelfTest(
  policy: Runnable,
  { observation, z: noise, actions }: StoredSelfTest,
  directory: string,
): Promise<void> {
  const [answer] = (await policy.act(observationFromJson(observation), Float32Array.from(noise))).actions;
  const difference = largestDifference(policy.config.robot.action, answer, actions);
  const { backend } = policy;
  const tolerance = isRounded(backend) ? INT8_TOLERANCE : SELF_TEST_TOLERANCE;
  if (actions.length === answer.length && difference <= tolerance) return;
  policy[Symbol.dispose]();
  throw new NinaError(
    `${directory} failed its self-test: on the stored input its actions differ by ${difference} from those it gave when ` +
      `it was saved (at most ${tolerance} is the rounding of backend '${backend}'). Weights, statistics or configuration ` +
      'are corrupted: copy the checkpoint again, or save it again from the training run.',
  );
}

/** Of two chunks, each dimension's range taken as [-1, 1]. */
function largestDifference(spec: ActionSpec, answer: Float32Array, stored: readonly number[]): number {
  const [got, wanted] = [answer, stored].map((chunk) => normaliseActions(spec, Float32Array.from(chunk)));
  return wanted.reduce((worst, x, i) => Math.max(worst, gap(got[i], x)), 0);
}

/** A missing or non-finite number is infinitely far. */
const gap = (got: number | undefined, wanted: number) =>
  got === undefined || !Number.isFinite(got) ? Number.POSITIVE_INFINITY : Math.abs(got - wanted);
