/**
 * state.safetensors: all that a run needs to go on as if it had never stopped. One file, replaced atomically, so that a
 * kill at any moment leaves a state that once was true. Batches, noise and masks are functions of the step and are not in it.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { NinaError } from '../errors.ts';
import type { PolicyModel } from '../policy/index.ts';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../tensor/safetensors.ts';
import type { OptimizerState } from './adamw.ts';

/** Sums since the last line of metrics. */
export interface Window {
  readonly steps: number;
  readonly loss: number;
  readonly gradNorm: number;
}

export interface TrainState {
  /** Updates done. */
  readonly step: number;
  readonly optimizer: OptimizerState;
  readonly buffers: PolicyModel['buffers'];
  readonly window: Window;
  readonly dataHash: string;
  /** What the run was trained with; empty in states of earlier versions. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export const statePath = (run: string) => path.join(run, 'state.safetensors');

const ARRAYS = ['params', 'm', 'v', 'ema'] as const;
const BUFFER_PREFIX = 'buffers.';

export function writeState(run: string, { step, optimizer, buffers, window, dataHash, settings }: TrainState): void {
  const arrays = ARRAYS.map((name): [string, StoredTensor] => [
    name,
    { shape: [optimizer[name].length], data: optimizer[name] },
  ]);
  const fixed = Object.entries(buffers).map(([name, values]): [string, StoredTensor] => [
    BUFFER_PREFIX + name,
    { shape: [values.length], data: BigInt64Array.from(values, BigInt) },
  ]);
  writeSafetensors(statePath(run), Object.fromEntries([...arrays, ...fixed]), {
    step: String(step),
    window: JSON.stringify(window),
    data_hash: dataHash,
    settings: JSON.stringify(settings),
  });
}

/**
 * The state of a run, or undefined when none was saved yet.
 * @param size numbers in the parameter layout
 * @throws NinaError when the file is damaged or belongs to another architecture.
 */
export function readState(run: string, size: number): TrainState | undefined {
  const file = statePath(run);
  if (!fs.existsSync(file)) return undefined;
  const { tensors, metadata } = readSafetensors(file);
  const array = (name: string): Float32Array => {
    const data = tensors[name]?.data;
    if (!(data instanceof Float32Array) || data.length !== size)
      throw new NinaError(
        `${file} does not fit the run's recipe: '${name}' should hold ${size} numbers and holds ${data?.length ?? 'none'}. ` +
          'Was the recipe of the run edited? Start a new run in another folder.',
      );
    return data;
  };
  const buffers = Object.entries(tensors).filter(([name]) => name.startsWith(BUFFER_PREFIX));
  return {
    step: Number(metadata.step),
    optimizer: { params: array('params'), m: array('m'), v: array('v'), ema: array('ema') },
    buffers: Object.fromEntries(
      buffers.map(([name, { data }]) => [name.slice(BUFFER_PREFIX.length), Array.from(data, Number)]),
    ),
    window: JSON.parse(metadata.window ?? 'null') as Window,
    dataHash: metadata.data_hash ?? '',
    settings: JSON.parse(metadata.settings ?? '{}') as TrainState['settings'],
  };
}
