/**
 * What a checkpoint says, wherever its four files were read from: each is checked by itself and all against each other,
 * strictly. What does not match is listed, never skipped. A folder is read by checkpoint.ts; a browser fetches the files.
 */
import * as z from 'zod';
import { type Assets, encoderOf } from '../encoders/index.ts';
import { NinaError } from '../errors.ts';
import { plainly } from '../json.ts';
import { key } from '../random.ts';
import type { StoredTensor } from '../safetensors-format.ts';
import { layoutOf, mapTree, type NDArray } from '../tensor/index.ts';
import { BUFFER_PREFIX, buffersFrom } from './buffers.ts';
import { type PolicyConfig, policySchema, statisticsSchema } from './config.ts';
import { blueprint, type PolicyModel, type PolicyParts } from './model.ts';
import { selfTestSchema } from './self-test.ts';

export const FORMAT = 'nina-policy';
/** 2: nested settings of encoder, decoder and acting. */
export const FORMAT_VERSION = 2;
const sha256Text = z.string().regex(/^[0-9a-f]{64}$/, 'wanted a sha256');

const manifestSchema = z.strictObject({
  format: z.literal(FORMAT),
  format_version: z.literal(FORMAT_VERSION),
  package_version: z.string(),
  engine_version: z.string(),
  seed: z.int().min(0),
  step: z.int().min(0),
  data_hash: z.string().describe('sha256 over the demonstrations'),
  parameters: z.int().min(1),
  files: z
    .object({ 'config.json': sha256Text, 'model.safetensors': sha256Text, 'stats.json': sha256Text })
    .catchall(sha256Text)
    .superRefine((files, context) => {
      // A name with a path in it would be read from elsewhere.
      const wrong = Object.keys(files).find((name) => !/^\w[\w.-]*$/.test(name));
      if (wrong !== undefined) context.addIssue({ code: 'custom', message: `"${wrong}" is no name of a file` });
    })
    .describe('sha256 of each file, those that the encoder needs beside its weights included'),
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
  return check(value, `${directory}/manifest.json`, manifestSchema);
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
  const checked = check(config, `${directory}/config.json`, policySchema);
  checkSelfTest(checked, manifest, directory);
  const absent = encoderOf(checked.encoder).assets.find((name) => !Object.hasOwn(assets, name));
  if (absent !== undefined)
    throw new NinaError(
      `${directory} has no ${absent}, which its ${checked.encoder.name} encoder needs: the checkpoint is incomplete.`,
    );
  return {
    assets,
    config: checked,
    statistics: check(statistics, `${directory}/stats.json`, statisticsSchema(checked)),
    model: adopt(checked, tensors, manifest, `${directory}/model.safetensors`),
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

/**
 * The stored tensors in the shape that the configuration asks for.
 * @throws NinaError listing every difference, or naming a number that is not finite.
 */
function adopt(
  config: PolicyConfig,
  stored: Readonly<Record<string, StoredTensor>>,
  { parameters }: Manifest,
  file: string,
): PolicyModel {
  // Names and shapes; nothing is drawn, and nothing allocated for what the file may not hold.
  const expected = blueprint(key(0), config);
  const { entries, size } = layoutOf(expected.params);
  const wanted = Object.fromEntries([
    ...Object.entries(expected.buffers).map(([name, { length }]) => [BUFFER_PREFIX + name, `int64 [${length}]`]),
    ...entries.map(({ path, shape }) => [path, `float32 [${shape}]`]),
  ]);
  const describe = ({ shape, data }: StoredTensor) =>
    `${data instanceof BigInt64Array ? 'int64' : 'float32'} [${shape}]`;
  const missing = Object.keys(wanted).filter((name) => !Object.hasOwn(stored, name));
  const unexpected = Object.keys(stored).filter((name) => !Object.hasOwn(wanted, name));
  const different = Object.keys(wanted)
    .filter((name) => Object.hasOwn(stored, name) && describe(stored[name]) !== wanted[name])
    .map((name) => `${name} wants ${wanted[name]}, got ${describe(stored[name])}`);
  if (missing.length + unexpected.length + different.length > 0)
    throw new NinaError(
      [
        `The weights of ${file} are of another architecture than its config.json:`,
        ...list('missing', missing),
        ...list('unexpected', unexpected),
        ...list('of another shape', different),
      ].join('\n'),
    );
  if (size !== parameters)
    throw new NinaError(`${file} holds ${size} parameters; its manifest.json says ${parameters}.`);
  return {
    params: mapTree(expected.params, (_, name) => finite(stored[name] as NDArray, name, file)),
    buffers: buffersFrom(file, stored),
  };
}

function finite(weights: NDArray, name: string, file: string): NDArray {
  const bad = weights.data.findIndex((w) => !Number.isFinite(w));
  if (bad < 0) return weights;
  throw new NinaError(
    `${file}: "${name}" is not finite: it holds ${weights.data[bad]} at ${bad}. The weights are damaged: copy the checkpoint again, or save it again from the training run.`,
  );
}

const SHOWN = 5;

function list(title: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  const more = items.length > SHOWN ? [`    ... and ${items.length - SHOWN} more`] : [];
  return [`  ${items.length} ${title}:`, ...items.slice(0, SHOWN).map((item) => `    ${item}`), ...more];
}

function check<S extends z.ZodType>(value: unknown, file: string, schema: S): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const found =
    typeof value === 'object' && value !== null ? Object.keys(value).join(', ').slice(0, 200) : typeof value;
  const problems = result.error.issues.map((issue) => `${issue.path.join('.') || 'file'}: ${plainly(issue.message)}`);
  throw new NinaError(
    [`${file} does not describe a policy (its keys: ${found}):`, ...list('not as wanted', problems)].join('\n'),
  );
}
