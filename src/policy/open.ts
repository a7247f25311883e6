/** From the contents of a checkpoint's files, however they came, to a policy that has passed its self-test. */
import type { Assets } from '../encoders/index.ts';
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
  /** What else the encoder needs, by the names of the files: { 'tokenizer.json': its text }. */
  readonly assets?: Assets;
}

/**
 * `loadPolicy` where there is no disk: in a browser, whose page fetches the files. The hashes of the files are not
 * checked, but everything else is.
 * @throws NinaError for what does not match, or answers differently than when it was saved.
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'; // a page would fetch
 * import { openPolicy } from 'nina-vla/policy/core';
 * import { key } from 'nina-vla/random';
 *
 * const bytes = (name: string) => readFile(`runs/object/checkpoints/2/${name}`);
 * const json = async (name: string) => JSON.parse((await bytes(name)).toString());
 * using policy = await openPolicy({
 *   manifest: await json('manifest.json'),
 *   config: await json('config.json'),
 *   statistics: await json('stats.json'),
 *   weights: await bytes('model.safetensors'),
 * });
 * const { observation } = await json('manifest.json').then(({ self_test }) => self_test);
 * const { actions } = await policy.infer(observation, { key: key(0) });
 * ```
 */
export async function openPolicy(
  { manifest, config, statistics, weights, assets = {} }: StoredPolicy,
  options: BuildOptions = {},
): Promise<Policy> {
  const WHERE = 'The checkpoint';
  const checked = checkManifest(manifest, WHERE);
  const { tensors } = parseSafetensors(weights, `${WHERE}/model.safetensors`);
  const policy = await buildPolicy(checkParts({ config, statistics, tensors, assets }, checked, WHERE), options);
  await requireSelfTest(policy, checked.self_test, WHERE);
  return policy;
}
