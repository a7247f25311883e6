/**
 * A checkpoint is a directory: config.json (how to rebuild the graph), model.safetensors (weights and permutations),
 * stats.json (normalisation), manifest.json (where it comes from, the hashes of the other files, a self-test).
 * It appears whole or not at all, and is read strictly: what does not match is listed, never skipped.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as z from 'zod';
import { NinaError, UsageError } from '../errors.ts';
import { draftOf, fileError, makeFolder, realPath, requireFile } from '../files.ts';
import { parseJson, plainly, readText, toJson } from '../json.ts';
import { key } from '../random.ts';
import { observationSchema } from '../robot/index.ts';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../safetensors.ts';
import { layoutOf, leaves, mapTree, type NDArray } from '../tensor/index.ts';
import { BUFFER_PREFIX, buffersFrom, storedBuffers } from './buffers.ts';
import { type PolicyConfig, policySchema, statisticsSchema } from './config.ts';
import { blueprint, type PolicyModel } from './model.ts';
import type { PolicyParts } from './policy.ts';

const FORMAT = 'nina-policy';
/** 2: nested settings of encoder, decoder and acting. */
const FORMAT_VERSION = 2;
const FILES = ['config.json', 'model.safetensors', 'stats.json'] as const;

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
    .strictObject({ 'config.json': sha256Text, 'model.safetensors': sha256Text, 'stats.json': sha256Text })
    .describe('sha256 of each file'),
  self_test: z.strictObject({
    observation: observationSchema,
    z: z.array(z.number()).describe('base noise [T * A]'),
    actions: z.array(z.number()).describe('what these weights must answer [T * A]'),
  }),
});

export type Manifest = z.output<typeof manifestSchema>;

export interface Checkpoint extends PolicyParts {
  readonly manifest: Manifest;
  /** The directory that was read. */
  readonly directory: string;
}

/**
 * Writes a checkpoint beside `directory` and renames it into place; an existing one is replaced only by a whole one.
 * @throws NinaError when the disk is full or the folder is not writable; nothing half-written stays.
 */
export function writeCheckpoint(
  directory: string,
  { config, statistics, model }: PolicyParts,
  origin: Omit<Manifest, 'format' | 'format_version' | 'files' | 'parameters'>,
): void {
  const draft = draftOf(directory);
  const json = (name: string, value: unknown) =>
    fs.writeFileSync(path.join(draft, name), `${toJson(value, 2)}\n`, { flush: true });
  try {
    fs.rmSync(draft, { recursive: true, force: true });
    makeFolder(draft);
    json('config.json', config);
    json('stats.json', statistics);
    writeSafetensors(path.join(draft, 'model.safetensors'), storedTensors(model));
    const manifest: Manifest = {
      format: FORMAT,
      format_version: FORMAT_VERSION,
      ...origin,
      parameters: layoutOf(model.params).size,
      files: {
        'config.json': sha256(path.join(draft, 'config.json')),
        'model.safetensors': sha256(path.join(draft, 'model.safetensors')),
        'stats.json': sha256(path.join(draft, 'stats.json')),
      },
    };
    json('manifest.json', manifest);
    replaceDirectory(draft, directory);
  } catch (cause) {
    fs.rmSync(draft, { recursive: true, force: true });
    throw fileError(`Could not write the checkpoint ${directory}`, cause);
  }
}

/**
 * Puts the finished draft in the place of `directory`. What was there is moved aside whole: a kill while its files are
 * being removed would leave a checkpoint that is there in part. (Names of drafts: the next run's sweep takes them.)
 */
function replaceDirectory(draft: string, directory: string): void {
  const aside = draftOf(`${directory}.old`);
  if (fs.existsSync(directory)) fs.renameSync(directory, aside);
  fs.renameSync(draft, directory);
  fs.rmSync(aside, { recursive: true, force: true });
}

/**
 * Reads and verifies a checkpoint, or the newest one of a training run's folder. The self-test is the caller's, who
 * has the programs.
 * @throws NinaError naming the file and what differs.
 */
export function readCheckpoint(location: string): Checkpoint {
  const directory = findCheckpoint(location);
  requireFormat(directory);
  const manifest = readJson(directory, 'manifest.json', manifestSchema);
  const missing = FILES.find((name) => !fs.existsSync(path.join(directory, name)));
  if (missing) throw new NinaError(`${directory} has no ${missing}: the checkpoint is incomplete.`);
  for (const name of FILES) {
    const file = path.join(directory, name);
    const found = sha256(file);
    if (found !== manifest.files[name])
      throw new NinaError(
        `${file} is not the file the checkpoint was saved with: its sha256 is ${found}, manifest.json says ` +
          `${manifest.files[name]}. Copy the checkpoint again.`,
      );
  }
  const config = readJson(directory, 'config.json', policySchema);
  checkSelfTest(config, manifest, directory);
  const statistics = readJson(directory, 'stats.json', statisticsSchema(config));
  const weights = path.join(directory, 'model.safetensors');
  const { tensors } = readSafetensors(weights);
  return { config, statistics, manifest, directory, model: adopt(config, tensors, manifest, weights) };
}

/** @throws NinaError for a checkpoint of an earlier format: what it says is said otherwise now. */
function requireFormat(directory: string): void {
  const file = path.join(directory, 'manifest.json');
  requireFile(file);
  const earlier = z.object({ format: z.literal(FORMAT), format_version: z.int().min(1).lt(FORMAT_VERSION) });
  const found = earlier.safeParse(parseJson(readText(file), file)).data;
  if (found)
    throw new NinaError(
      `${directory} is a checkpoint of format ${found.format_version}, and this version of nina-vla reads format ${FORMAT_VERSION}: ` +
        'train the policy again with this version.',
    );
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

/** Folder of the checkpoints of a run; each is named by its step. */
export const CHECKPOINTS = 'checkpoints';

/** The directory itself, or the newest checkpoint of a run. @throws NinaError when it is neither. */
export function findCheckpoint(location: string): string {
  if (fs.existsSync(path.join(location, 'manifest.json'))) return location;
  const folder = path.join(location, CHECKPOINTS);
  const steps = fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => /^\d+$/.test(name)) : [];
  const newest = steps.sort((a, b) => Number(a) - Number(b)).at(-1);
  if (newest) return path.join(folder, newest);
  throw new NinaError(
    `${location} is no checkpoint: it has neither a manifest.json nor a folder '${CHECKPOINTS}' of a training run.`,
  );
}

/**
 * Results do not belong into a checkpoint: training removes old ones with all they hold, and copies are compared file by
 * file.
 * @throws UsageError when `target`, links followed, is or lies in a checkpoint.
 */
export function requireOutsideCheckpoints(target: string): void {
  let real: string;
  try {
    real = realPath(target);
  } catch (cause) {
    throw fileError(`Could not write ${target}`, cause);
  }
  for (let folder = real; ; folder = path.dirname(folder)) {
    if (isCheckpoint(folder))
      throw new UsageError(
        `${target} lies in the checkpoint ${folder}, which is not for results. Choose another place.`,
      );
    if (folder === path.dirname(folder)) return;
  }
}

const isCheckpoint = (folder: string) =>
  ['manifest.json', ...FILES].every((name) => fs.existsSync(path.join(folder, name)));

function storedTensors({ params, buffers }: PolicyModel): Record<string, StoredTensor> {
  const weights = leaves(params).map(([name, leaf]): [string, StoredTensor] => [name, leaf as NDArray]);
  return Object.fromEntries([...storedBuffers(buffers), ...weights]);
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

function readJson<S extends z.ZodType>(directory: string, name: string, schema: S): z.output<S> {
  const file = path.join(directory, name);
  requireFile(file);
  const value = parseJson(readText(file), file);
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const found =
    typeof value === 'object' && value !== null ? Object.keys(value).join(', ').slice(0, 200) : typeof value;
  const problems = result.error.issues.map((issue) => `${issue.path.join('.') || 'file'}: ${plainly(issue.message)}`);
  throw new NinaError(
    [`${file} does not describe a policy (its keys: ${found}):`, ...list('not as wanted', problems)].join('\n'),
  );
}

function sha256(file: string): string {
  requireFile(file);
  const hash = createHash('sha256');
  const fd = fs.openSync(file, 'r');
  try {
    const piece = Buffer.alloc(2 ** 22);
    for (let read = fs.readSync(fd, piece); read > 0; read = fs.readSync(fd, piece))
      hash.update(piece.subarray(0, read));
  } finally {
    fs.closeSync(fd);
  }
  return hash.digest('hex');
}
