/**
 * What a checkpoint says, wherever its four files were read from: each is checked by itself and all against each other,
 * strictly. What does not match is listed, never skipped. A folder is read by checkpoint.ts; a browser fetches the files.
 */
import * as z from 'zod';
import { type Assets, encoderOf } from '../encoders/index.ts';
import { NinaError } from '../errors.ts';
import { key } from '../random.ts';
import type { StoredTensor } from '../safetensors-format.ts';
import { layoutOf } from '../tensor/index.ts';
import { adopt } from './adopt.ts';
import { BUFFER_PREFIX, buffersFrom } from './buffers.ts';
import { checkFile, filesSchema } from './checked.ts';
import { type PolicyConfig, policySchema, statisticsSchema } from './config.ts';
import { blueprint, type PolicyModel, type PolicyParts } from './model.ts';
import { selfTestSchema } from './self-test.ts';

export const FORMAT = 'nina-policy';
/** 2: nested settings of encoder, decoder and acting. */
export const FORMAT_VERSION = 2;

const manifestSchema = z.strictObject({
  format: z.literal(FORMAT),
  format_version: z.literal(FORMAT_VERSION),
  package_version: z.string(),
  engine_version: z.string(),
  seed: z.int().min(0),
  step: z.int().min(0),
  data_hash: z.string().describe('sha256 over the demonstrations, or of the file that was imported'),
  imported: z
    .strictObject({ file: z.string(), notes: z.array(z.string()).describe('what was decided') })
    .optional()
    .describe('of weights that came from elsewhere'),
  parameters: z.int().min(1),
  files: filesSchema('config.json', 'model.safetensors', 'stats.json'),
  self_test: selfTestSchema,
});

export type Manifest = z.output<typeof manifestSchema>;

/**
 * @param directory how messages name the checkpoint
 * @throws NinaError for what is no manifest, or one of an earlier format, which says otherwise what it says.
 */
export function checkManifest(value: unknown, directory: string): Manifest {
  const earlier = z.object({ format: z.literal(FORMAT), format_version: z.int().min(1).lt(FORMAT_VERSION) });
  const found = earlier.safeParse(value).data;
  if (found)
    throw new NinaError(
      `${directory} is a checkpoint of format ${found.format_version}, and this version of nina-vla reads format ` +
        `${FORMAT_VERSION}: train the policy again with this version.`,
    );
  return checkFile(value, `${directory}/manifest.json`, manifestSchema);
}

/**
 * The policy that a checkpoint's files describe.
 * @param directory how messages name the checkpoint
 * @throws NinaError naming the file and what differs.
 */
export function checkParts(
  {
    config,
    statistics,
    tensors,
    assets,
  }: { config: unknown; statistics: unknown; tensors: Readonly<Record<string, StoredTensor>>; assets: Assets },
  manifest: Manifest,
  directory: string,
): PolicyParts {
  const checked = checkFile(config, `${directory}/config.json`, policySchema);
  checkSelfTest(checked, manifest, directory);
  const absent = encoderOf(checked.encoder).assets.find((name) => !Object.hasOwn(assets, name));
  if (absent !== undefined)
    throw new NinaError(
      `${directory} has no ${absent}, which its ${checked.encoder.name} encoder needs: the checkpoint is incomplete.`,
    );
  return {
    assets,
    config: checked,
    statistics: checkFile(statistics, `${directory}/stats.json`, statisticsSchema(checked)),
    model: modelOf(checked, tensors, manifest, `${directory}/model.safetensors`),
  };
}

/** The stored noise and answer are of one chunk. */
function checkSelfTest({ decoder }: PolicyConfig, { self_test }: Manifest, directory: string): void {
  const { chunk_length: T, action_dim: A } = decoder;
  for (const name of ['z', 'actions'] as const)
    if (self_test[name].length !== T * A)
      throw new NinaError(
        `${directory}/manifest.json: self_test.${name} has ${self_test[name].length} numbers, a chunk of config.json has ` +
          `${T} x ${A}. One of the two is damaged: copy the checkpoint again.`,
      );
}

function modelOf(
  config: PolicyConfig,
  stored: Readonly<Record<string, StoredTensor>>,
  { parameters }: Manifest,
  file: string,
): PolicyModel {
  const expected = blueprint(key(0), config);
  const buffers = Object.entries(expected.buffers);
  const params = adopt(
    expected.params,
    stored,
    file,
    Object.fromEntries(buffers.map(([name, { length }]) => [BUFFER_PREFIX + name, `int64 [${length}]`])),
  );
  const { size } = layoutOf(expected.params);
  if (size !== parameters)
    throw new NinaError(`${file} holds ${size} parameters; its manifest.json says ${parameters}.`);
  return { params, buffers: buffersFrom(file, stored) };
}
