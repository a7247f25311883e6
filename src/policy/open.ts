/** From the contents of a checkpoint's files, however they came, to a policy that has passed its self-test. */
import { parseSafetensors } from '../safetensors-format.ts';
import { type BuildOptions, buildPolicy, type Policy } from './policy.ts';
import { requireSelfTest } from './self-test.ts';
import { checkManifest, checkParts } from './stored.ts';

/** The contents of the files of a checkpoint: JSON as values, the weights as bytes. */
export interface StoredPolicy {
  /** manifest.json */
  readonly manifest: unknown;
  /** config.json */
  readonly config: unknown;
  /** stats.json */
  readonly statistics: unknown;
  /** model.safetensors */
  readonly weights: Uint8Array;
}

/**
 * `loadPolicy` where there is no disk: in a browser, whose page fetches the four files. The hashes of the files are not
 * checked, but everything else is.
 * @throws NinaError for what does not match, or answers differently than when it was saved.
 */
export async function openPolicy(
  { manifest, config, statistics, weights }: StoredPolicy,
  options: BuildOptions = {},
): Promise<Policy> {
  const WHERE = 'The checkpoint';
  const checked = checkManifest(manifest, WHERE);
  const { tensors } = parseSafetensors(weights, `${WHERE}/model.safetensors`);
  const policy = await buildPolicy(checkParts({ config, statistics, tensors }, checked, WHERE), options);
  await requireSelfTest(policy, checked.self_test, WHERE);
  return policy;
}
