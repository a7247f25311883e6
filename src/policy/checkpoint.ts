/**
 * A checkpoint is a directory: config.json (how to rebuild the graph), model.safetensors (weights and permutations),
 * stats.json (normalisation), what files the encoder needs beside its weights (tokenizer.json), manifest.json (where it comes
 * from, the hashes of the other files, a self-test).
 * It appears whole or not at all, and is read strictly: what does not match is listed, never skipped.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { NinaError, UsageError } from '../errors.ts';
import { fileError, realPath } from '../files.ts';
import { readText } from '../json-files.ts';
import { openSafetensors, readSafetensors, writeSafetensors } from '../safetensors.ts';
import type { StoredTensor } from '../safetensors-format.ts';
import { layoutOf, lazily, leaves, type NDArray } from '../tensor/index.ts';
import { storedBuffers } from './buffers.ts';
import { checkFile } from './checked.ts';
import { type PolicyConfig, policySchema } from './config.ts';
import { isEncoderFolder } from './encoder-folder.ts';
import type { PolicyModel, PolicyParts } from './model.ts';
import { MANIFEST, readJson, verify, writeJson, writeSealed, writeText } from './sealed.ts';
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
  writeSealed(
    directory,
    'the checkpoint',
    (folder) => {
      writeJson(folder, 'config.json', config);
      writeJson(folder, 'stats.json', statistics);
      writeSafetensors(path.join(folder, 'model.safetensors'), storedTensors(model));
      for (const [name, text] of Object.entries(assets)) writeText(folder, name, text);
    },
    (files): Manifest => ({
      format: FORMAT,
      format_version: FORMAT_VERSION,
      ...origin,
      parameters: layoutOf(model.params).size,
      files: files as Manifest['files'],
    }),
  );
}

/**
 * Reads and verifies a checkpoint, or the newest one of a training run's folder. The self-test is the caller's, who
 * has the programs.
 * @param lazy whether the encoder's weights are read when they are asked for, each time, so that none need be held
 * @throws NinaError naming the file and what differs.
 */
export function readCheckpoint(location: string, { lazy = false } = {}): Checkpoint {
  const directory = findCheckpoint(location);
  if (isEncoderFolder(directory))
    throw new NinaError(
      `${directory} is an encoder without a policy: train one with it (nina train --init ${directory}).`,
    );
  const manifest = checkManifest(readJson(directory, MANIFEST), directory);
  verify(directory, 'the checkpoint', manifest.files);
  const weights = path.join(directory, 'model.safetensors');
  const tensors = { ...readSafetensors(weights, (name) => !(lazy && ofEncoder(name))).tensors };
  if (lazy) Object.assign(tensors, unread(weights, ofEncoder));
  const others = Object.keys(manifest.files).filter((name) => !FILES.some((file) => file === name));
  const assets = Object.fromEntries(others.map((name) => [name, readText(path.join(directory, name))]));
  const parts = checkParts(
    { config: readJson(directory, 'config.json'), statistics: readJson(directory, 'stats.json'), tensors, assets },
    manifest,
    directory,
  );
  return { ...parts, manifest, directory };
}

const ofEncoder = (name: string) => name.startsWith('encoder.');

/** Tensors of a file whose numbers are read whenever they are asked for. */
function unread(file: string, wanted: (name: string) => boolean): Record<string, StoredTensor> {
  using index = openSafetensors(file);
  const found = [...index.tensors].filter(([name]) => wanted(name));
  const read = (name: string) => readSafetensors(file, (other) => other === name).tensors[name].data as Float32Array;
  return Object.fromEntries(found.map(([name, { shape }]) => [name, lazily(shape, () => read(name))]));
}

/** What a checkpoint's policy is; weights are not read. */
export const readPolicyConfig = (directory: string): PolicyConfig =>
  checkFile(readJson(directory, 'config.json'), `${directory}/config.json`, policySchema);

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
