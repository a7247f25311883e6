/**
 * A checkpoint is a directory: config.json (how to rebuild the graph), model.safetensors (weights and permutations),
 * stats.json (normalisation), what files the encoder needs beside its weights (tokenizer.json), manifest.json (where it comes
 * from, the hashes of the other files, a self-test).
 * It appears whole or not at all, and is read strictly: what does not match is listed, never skipped.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { NinaError, UsageError } from '../errors.ts';
import { draftOf, fileError, makeFolder, realPath, requireFile } from '../files.ts';
import { parseJson, toJson } from '../json.ts';
import { readText } from '../json-files.ts';
import { readSafetensors, writeSafetensors } from '../safetensors.ts';
import type { StoredTensor } from '../safetensors-format.ts';
import { layoutOf, leaves, type NDArray } from '../tensor/index.ts';
import { storedBuffers } from './buffers.ts';
import type { PolicyModel, PolicyParts } from './model.ts';
import { checkManifest, checkParts, FORMAT, FORMAT_VERSION, type Manifest } from './stored.ts';

const FILES = ['config.json', 'model.safetensors', 'stats.json'] as const;

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
  { config, statistics, model, assets }: PolicyParts,
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
    for (const [name, text] of Object.entries(assets)) fs.writeFileSync(path.join(draft, name), text, { flush: true });
    const manifest: Manifest = {
      format: FORMAT,
      format_version: FORMAT_VERSION,
      ...origin,
      parameters: layoutOf(model.params).size,
      files: {
        'config.json': sha256(path.join(draft, 'config.json')),
        'model.safetensors': sha256(path.join(draft, 'model.safetensors')),
        'stats.json': sha256(path.join(draft, 'stats.json')),
        ...Object.fromEntries(Object.keys(assets).map((name) => [name, sha256(path.join(draft, name))])),
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
  const json = (name: string) => {
    const file = path.join(directory, name);
    requireFile(file);
    return parseJson(readText(file), file);
  };
  const manifest = checkManifest(json('manifest.json'), directory);
  const names = Object.keys(manifest.files);
  const missing = names.find((name) => !fs.existsSync(path.join(directory, name)));
  if (missing) throw new NinaError(`${directory} has no ${missing}: the checkpoint is incomplete.`);
  for (const name of names) {
    const file = path.join(directory, name);
    const found = sha256(file);
    if (found !== manifest.files[name])
      throw new NinaError(
        `${file} is not the file the checkpoint was saved with: its sha256 is ${found}, manifest.json says ` +
          `${manifest.files[name]}. Copy the checkpoint again.`,
      );
  }
  const { tensors } = readSafetensors(path.join(directory, 'model.safetensors'));
  const others = names.filter((name) => !FILES.some((file) => file === name));
  const assets = Object.fromEntries(others.map((name) => [name, readText(path.join(directory, name))]));
  const parts = checkParts(
    { config: json('config.json'), statistics: json('stats.json'), tensors, assets },
    manifest,
    directory,
  );
  return { ...parts, manifest, directory };
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
