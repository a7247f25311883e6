/** From a checkpoint on disk to a policy that has passed the checkpoint's self-test. */
import { cpu } from '../engine/index.ts';
import { NinaError } from '../errors.ts';
import { type ActionSpec, normaliseActions } from '../robot/index.ts';
import { type Manifest, readCheckpoint } from './checkpoint.ts';
import { type BuildOptions, buildPolicy, type Policy } from './policy.ts';

export interface LoadedPolicy extends Policy {
  readonly manifest: Manifest;
  /** The checkpoint's directory. */
  readonly directory: string;
}

/**
 * Largest difference that other hardware or another backend may make in an action, whose range is taken as [-1, 1]. Float32 sums in another order differ
 * by 1e-6 and a flow can amplify that a hundredfold; a wrong weight moves actions by far more.
 */
const SELF_TEST_TOLERANCE = 1e-3;
/** Of weights rounded to 8 bits: the share of the action range (2) that this backend may differ by. */
const INT8_TOLERANCE = 2 * 2e-2;

/**
 * Loads a checkpoint (or the newest one of a training run) and runs its self-test.
 * @param options what computes it; `engine` is ONNX Runtime on the CPU unless given
 * @throws NinaError for anything that is missing, does not match or answers differently than when it was saved.
 * @throws UsageError for a backend that this decoder does not have.
 */
export async function loadPolicy(location: string, options: BuildOptions = {}): Promise<LoadedPolicy> {
  const { manifest, directory, ...checkpoint } = readCheckpoint(location);
  const policy = await buildPolicy(checkpoint, { engine: cpu, ...options });
  const { observation, z, actions } = manifest.self_test;
  const [answer] = (await policy.act(observation, Float32Array.from(z))).actions;
  const difference = largestDifference(policy.config.robot.action, answer, actions);
  const { backend } = policy;
  const tolerance = backend === 'wasm-int8' ? INT8_TOLERANCE : SELF_TEST_TOLERANCE;
  if (actions.length !== answer.length || !(difference <= tolerance)) {
    policy[Symbol.dispose]();
    throw new NinaError(
      `${directory} failed its self-test: on the stored input its actions differ by ${difference} from those it gave when ` +
        `it was saved (at most ${tolerance} is the rounding of backend '${backend}'). Weights, statistics or configuration ` +
        'are corrupted: copy the checkpoint again, or save it again from the training run.',
    );
  }
  return { ...policy, manifest, directory };
}

/** Of two chunks, each dimension's range taken as [-1, 1]. */
function largestDifference(spec: ActionSpec, answer: Float32Array, stored: readonly number[]): number {
  const [got, wanted] = [answer, stored].map((chunk) => normaliseActions(spec, Float32Array.from(chunk)));
  return wanted.reduce((worst, x, i) => Math.max(worst, gap(got[i], x)), 0);
}

/** A missing or non-finite number is infinitely far. */
const gap = (got: number | undefined, wanted: number) =>
  got === undefined || !Number.isFinite(got) ? Number.POSITIVE_INFINITY : Math.abs(got - wanted);
