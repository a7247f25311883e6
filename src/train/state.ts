/**
 * state.safetensors: all that a run needs to go on as if it had never stopped. One file, replaced atomically, so that a
 * kill at any moment leaves a state that once was true. Batches, noise and masks are functions of the step and are not in it.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as z from 'zod';
import { NinaError } from '../errors.ts';
import { checkJson, parseJson, toJson } from '../json.ts';
import { BUFFER_PREFIX, buffersFrom, type PolicyModel, storedBuffers } from '../policy/index.ts';
import { readSafetensors, writeSafetensors } from '../safetensors.ts';
import type { StoredTensor } from '../safetensors-format.ts';
import type { OptimizerState } from './optimizer.ts';

const sumsSchema = z.strictObject({ steps: z.int().min(0), loss: z.number(), gradNorm: z.number().min(0) });

/** Sums since the last line of metrics. */
export type Sums = Readonly<z.output<typeof sumsSchema>>;

/** Metadata are texts. */
const metadataSchema = z.object({
  step: z
    .string()
    .regex(/^\d{1,15}$/, 'wanted a number of updates')
    .transform(Number),
  sums: z.string(),
  data_hash: z.string().regex(/^[0-9a-f]{64}$/, 'wanted a sha256'),
  settings: z.string(),
});

export interface TrainState {
  /** Updates done. */
  readonly step: number;
  readonly optimizer: OptimizerState;
  readonly buffers: PolicyModel['buffers'];
  readonly sums: Sums;
  readonly dataHash: string;
  /** What the run was trained with, by path. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export const statePath = (run: string) => path.join(run, 'state.safetensors');

const ARRAYS = ['params', 'm', 'v', 'ema'] as const;

export function writeState(run: string, { step, optimizer, buffers, sums, dataHash, settings }: TrainState): void {
  const arrays = ARRAYS.map((name): [string, StoredTensor] => [
    name,
    { shape: [optimizer[name].length], data: optimizer[name] },
  ]);
  writeSafetensors(statePath(run), Object.fromEntries([...arrays, ...storedBuffers(buffers)]), {
    step: String(step),
    sums: toJson(sums),
    data_hash: dataHash,
    settings: toJson(settings),
  });
}

const ADVICE = 'It is damaged, or of another program: restore a copy of the run, or start a new one in another folder.';

/**
 * The state of a run, or undefined when none was saved yet. Whether it is of this data, these settings and a model of
 * this size is for the caller to ask, in this order: changed data change the settings' meaning, and both the size.
 * @throws NinaError when the file is damaged.
 */
export function readState(run: string): TrainState | undefined {
  const file = statePath(run);
  if (!fs.existsSync(file)) return undefined;
  const { tensors, metadata } = readSafetensors(file);
  const { step, sums, data_hash, settings } = checkJson(metadataSchema, metadata, `${file}, its metadata`, ADVICE);
  const array = (name: (typeof ARRAYS)[number]) => readArray(file, tensors, name);
  const stray = Object.keys(tensors).find((name) => !name.startsWith(BUFFER_PREFIX) && !ARRAYS.some((a) => a === name));
  if (stray !== undefined) throw new NinaError(`${file} holds the unexpected tensor "${stray}". ${ADVICE}`);
  return {
    step,
    optimizer: { params: array('params'), m: array('m'), v: array('v'), ema: array('ema') },
    buffers: buffersFrom(file, tensors),
    sums: checkJson(sumsSchema, parseJson(sums, `${file}, its sums`), `${file}, its sums`, ADVICE),
    dataHash: data_hash,
    settings: checkJson(
      z.record(z.string(), z.unknown()),
      parseJson(settings, `${file}, its settings`),
      `${file}, its settings`,
      ADVICE,
    ),
  };
}

/** @throws NinaError when a state does not hold the `size` numbers of its model's parameters. */
export function requireSize(run: string, { optimizer }: TrainState, size: number): void {
  for (const name of ARRAYS)
    if (optimizer[name].length !== size)
      throw new NinaError(
        `${statePath(run)}: '${name}' holds ${optimizer[name].length} numbers, and the model has ${size}. ${ADVICE}`,
      );
}

function readArray(
  file: string,
  tensors: Readonly<Record<string, StoredTensor>>,
  name: (typeof ARRAYS)[number],
): Float32Array {
  const data = Object.hasOwn(tensors, name) ? tensors[name].data : undefined;
  if (!(data instanceof Float32Array)) throw new NinaError(`${file} holds no numbers '${name}'. ${ADVICE}`);
  // A mean of squares is not negative.
  const bad = data.findIndex((x) => !Number.isFinite(x) || (name === 'v' && x < 0));
  if (bad >= 0)
    throw new NinaError(`${file}: '${name}' is ${data[bad]} at ${bad}, which training never saves. ${ADVICE}`);
  return data;
}
