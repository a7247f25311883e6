/** From a checkpoint on disk to a policy that has passed the checkpoint's self-test. */
import { cpu } from '../engine/index.ts';
import { resolveBackend } from './backend.ts';
import type { PolicyBackend } from './backends.ts';
import { readCheckpoint } from './checkpoint.ts';
import type { PolicyParts } from './model.ts';
import { type BuildOptions, buildPolicy, type Policy } from './policy.ts';
import { requireSelfTest } from './self-test.ts';
import type { Manifest } from './stored.ts';

export interface LoadedPolicy extends Policy {
  readonly manifest: Manifest;
  /** The checkpoint's directory. */
  readonly directory: string;
}

/**
 * Loads a checkpoint (or the newest one of a training run) and runs its self-test.
 * @param options what computes it; `engine` is ONNX Runtime on the CPU unless given
 * @throws NinaError for anything that is missing, does not match or answers differently than when it was saved.
 * @throws UsageError for a backend that this decoder does not have.
 * @example
 * ```ts
 * import { loadPolicy } from 'nina-vla/policy';
 * import { key } from 'nina-vla/random';
 * import { observationFromJson } from 'nina-vla/robot';
 *
 * using policy = await loadPolicy('runs/object');
 * const observation = observationFromJson(policy.manifest.self_test.observation); // one that it was trained on
 * const { actions, logProb } = await policy.infer(observation, { key: key(0), temperature: 1 });
 * console.log(actions.length, logProb); // T * A = 70 numbers, and nats
 * ```
 */
export async function loadPolicy(location: string, options: BuildOptions = {}): Promise<LoadedPolicy> {
  const { manifest, directory, ...parts } = readCheckpoint(location, { lazy: options.backend === 'onnx-int8' });
  const policy = await buildPolicy(parts, { engine: cpu, ...options });
  await requireSelfTest(policy, manifest.self_test, directory);
  return { ...policy, manifest, directory };
}

/**
 * The backend that `loadPolicy` would choose here.
 * @throws UsageError for a backend that this decoder does not have.
 */
export const chooseBackend = (
  { config, model }: Pick<PolicyParts, 'config' | 'model'>,
  wanted: PolicyBackend | 'auto' | undefined,
): Promise<PolicyBackend> => resolveBackend(config, model, wanted, { engine: cpu });
