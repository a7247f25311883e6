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
import { draftOf, fileError, removeFolder } from '../files.ts';
import { key } from '../random.ts';
import { leaves, mapTree, type NDArray } from '../tensor/index.ts';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../tensor/safetensors.ts';
import { type PolicyConfig, type PolicyStatistics, policySchema, statisticsSchema } from './config.ts';
import { init, type PolicyModel } from './model.ts';

const FORMAT = 'nina-policy';
const FORMAT_VERSION = 1;
const FILES = ['config.json', 'model.safetensors', 'stats.json'] as const;
const BUFFER_PREFIX = 'buffers.';

/** What a policy is asked, as JSON. */
export const observationSchema = z.strictObject({
  proprio: z.array(z.number()),
  entities: z.array(z.number()),
  categories: z.array(z.string()),
  instruction: z.string(),
});

const manifestSchema = z.strictObject({
  format: z.literal(FORMAT),
  format_version: z.literal(FORMAT_VERSION),
  package_version: z.string(),
  engine_version: z.string(),
  seed: z.number(),
  step: z.number(),
  data_hash: z.string().describe('sha256 over the demonstrations'),
  parameters: z.number(),
  files: z.record(z.string(), z.string()).describe('sha256 of each file'),
  self_test: z.strictObject({
    observation: observationSchema,
    z: z.array(z.number()).describe('base noise [T * A]'),
    actions: z.array(z.number()).describe('what these weights must answer [T * A]'),
  }),
});

export type Manifest = z.output<typeof manifestSchema>;

export interface Checkpoint {
  readonly config: PolicyConfig;
  readonly statistics: PolicyStatistics;
  readonly model: PolicyModel;
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
  { config, statistics, model }: Pick<Checkpoint, 'config' | 'statistics' | 'model'>,
  origin: Omit<Manifest, 'format' | 'format_version' | 'files' | 'parameters'>,
): void {
  const draft = draftOf(directory);
  const json = (name: string, value: unknown) =>
    fs.writeFileSync(path.join(draft, name), `${JSON.stringify(value, null, 2)}\n`, { flush: true });
  try {
    fs.rmSync(draft, { recursive: true, force: true });
    fs.mkdirSync(draft, { recursive: true });
    json('config.json', config);
    json('stats.json', statistics);
    writeSafetensors(path.join(draft, 'model.safetensors'), storedTensors(model));
    const manifest: Manifest = {
      format: FORMAT,
      format_version: FORMAT_VERSION,
      ...origin,
      parameters: leaves(model.params).reduce((n, [, leaf]) => n + (leaf as NDArray).data.length, 0),
      files: Object.fromEntries(FILES.map((name) => [name, sha256(path.join(draft, name))])),
    };
    json('manifest.json', manifest);
    removeFolder(directory);
    fs.renameSync(draft, directory);
  } catch (cause) {
    fs.rmSync(draft, { recursive: true, force: true });
    throw fileError(`Could not write the checkpoint ${directory}`, cause);
  }
}

/**
 * Reads and verifies a checkpoint, or the newest one of a training run's folder. The self-test is the caller's, who
 * has the programs.
 * @throws NinaError naming the file and what differs.
 */
export function readCheckpoint(location: string): Checkpoint {
  const directory = findCheckpoint(location);
  const manifest = readJson(directory, 'manifest.json', manifestSchema);
  for (const name of FILES) {
    const file = path.join(directory, name);
    if (!fs.existsSync(file)) throw new NinaError(`${directory} has no ${name}: the checkpoint is incomplete.`);
    const found = sha256(file);
    if (found !== manifest.files[name])
      throw new NinaError(
        `${file} is not the file the checkpoint was saved with: its sha256 is ${found}, manifest.json says ` +
          `${manifest.files[name] ?? 'nothing'}. Copy the checkpoint again.`,
      );
  }
  const config = readJson(directory, 'config.json', policySchema);
  const statistics = readJson(directory, 'stats.json', statisticsSchema);
  const { tensors } = readSafetensors(path.join(directory, 'model.safetensors'));
  return { config, statistics, manifest, directory, model: adopt(config, tensors, directory) };
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
  for (let folder = realPath(target); ; folder = path.dirname(folder)) {
    if (isCheckpoint(folder))
      throw new UsageError(
        `${target} lies in the checkpoint ${folder}, which is not for results. Choose another place.`,
      );
    if (folder === path.dirname(folder)) return;
  }
}

const isCheckpoint = (folder: string) =>
  ['manifest.json', ...FILES].every((name) => fs.existsSync(path.join(folder, name)));

/** With links followed, as far as the path exists. */
function realPath(target: string): string {
  if (fs.existsSync(target)) return fs.realpathSync(target);
  const { dir, base } = path.parse(path.resolve(target));
  return path.join(realPath(dir), base);
}

function storedTensors({ params, buffers }: PolicyModel): Record<string, StoredTensor> {
  const weights = leaves(params).map(([name, leaf]): [string, StoredTensor] => [name, leaf as NDArray]);
  const fixed = Object.entries(buffers).map(([name, values]): [string, StoredTensor] => [
    BUFFER_PREFIX + name,
    { shape: [values.length], data: BigInt64Array.from(values, BigInt) },
  ]);
  return Object.fromEntries([...fixed, ...weights]);
}

/** The stored tensors in the shape that the configuration asks for. @throws NinaError listing every difference. */
function adopt(config: PolicyConfig, stored: Readonly<Record<string, StoredTensor>>, directory: string): PolicyModel {
  const expected = init(key(0), config);
  const wanted = storedTensors(expected);
  const describe = ({ shape, data }: StoredTensor) =>
    `${data instanceof BigInt64Array ? 'int64' : 'float32'} [${shape}]`;
  const missing = Object.keys(wanted).filter((name) => !(name in stored));
  const unexpected = Object.keys(stored).filter((name) => !(name in wanted));
  const different = Object.keys(wanted)
    .filter((name) => name in stored && describe(stored[name]!) !== describe(wanted[name]!))
    .map((name) => `${name} wants ${describe(wanted[name]!)}, got ${describe(stored[name]!)}`);
  if (missing.length + unexpected.length + different.length > 0)
    throw new NinaError(
      [
        `The weights of ${directory} are of another architecture than its config.json:`,
        ...list('missing', missing),
        ...list('unexpected', unexpected),
        ...list('of another shape', different),
      ].join('\n'),
    );
  return {
    params: mapTree(expected.params, (_: NDArray, name) => stored[name] as NDArray),
    buffers: Object.fromEntries(
      Object.keys(expected.buffers).map((name) => [name, Array.from(stored[BUFFER_PREFIX + name]!.data, Number)]),
    ),
  };
}

const SHOWN = 5;

function list(title: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  const more = items.length > SHOWN ? [`    ... and ${items.length - SHOWN} more`] : [];
  return [`  ${items.length} ${title}:`, ...items.slice(0, SHOWN).map((item) => `    ${item}`), ...more];
}

function readJson<S extends z.ZodType>(directory: string, name: string, schema: S): z.output<S> {
  const file = path.join(directory, name);
  let value: unknown;
  try {
    value = JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new NinaError(`${file} is not JSON: ${cause.message}`, { cause });
    throw fileError(`Could not read ${file}`, cause);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const found = typeof value === 'object' && value !== null ? Object.keys(value).join(', ') : typeof value;
  const problems = result.error.issues.map((issue) => `  ${issue.path.join('.') || 'file'}: ${issue.message}`);
  throw new NinaError([`${file} does not describe a policy (its keys: ${found}):`, ...problems].join('\n'));
}

function sha256(file: string): string {
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
