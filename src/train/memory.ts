/**
 * Whether settings ask for more memory than there is: told, with the setting that asks for it, before anything is
 * allocated or written.
 */
import * as os from 'node:os';
import { UsageError } from '../errors.ts';
import { leastSize } from '../policy/size.ts';
import { decoderSettings, encoderSettings, type TrainConfig, trainConfig } from './config.ts';

/** Parameters, gradient, two moments, average. */
const COPIES = 5;
const FLOAT_BYTES = 4;
/** An operation as an object, in ONNX and in the engine. */
const NODE_BYTES = 1000;

/** The least bytes that a training with these settings needs. */
export function leastBytes(config: TrainConfig): number {
  const { parameters, row, nodes } = leastSize(encoderSettings(config), decoderSettings(config));
  return FLOAT_BYTES * (COPIES * parameters + config.batch_size * row) + NODE_BYTES * nodes;
}

/** Memory of this machine, or of this container where that is less. */
export function memoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem();
}

/** @throws UsageError that names the setting that asks for most. */
export function requireMemory(config: TrainConfig, memory = memoryBytes()): void {
  const bytes = leastBytes(config);
  if (bytes <= memory) return;
  const { name, value, standard } = largestSetting(config);
  throw new UsageError(
    `These settings need at least ${gigabytes(bytes)} of memory, and there are ${gigabytes(memory)}. ` +
      `Most of it is for ${name} ${value} (default: ${standard}); lower it.`,
  );
}

/** A training ran out of memory all the same: what to lower. */
export function memoryAdvice(config: TrainConfig): string {
  const { name, value } = largestSetting(config);
  return (
    `The training needs more memory than it may have (${gigabytes(memoryBytes())} on this machine or in this container, ` +
    `or less by 'ulimit -v'). Lower ${name}, which is ${value}, or batch_size, which is ${config.batch_size}.`
  );
}

/** The setting whose default would save most. */
function largestSetting(config: TrainConfig): { name: string; value: number; standard: number } {
  const defaults: Record<string, unknown> = trainConfig(new Map([['decoder', { value: config.decoder, where: '' }]]));
  const candidates = Object.entries(config).flatMap(([name, value]) => {
    const standard = defaults[name];
    if (typeof value !== 'number' || typeof standard !== 'number') return [];
    return [{ name, value, standard, bytes: leastBytes({ ...config, [name]: standard }) }];
  });
  return candidates.reduce((best, one) => (one.bytes < best.bytes ? one : best));
}

function gigabytes(bytes: number): string {
  const gb = bytes / 2 ** 30;
  return `${gb < 10 ? gb.toFixed(1) : Math.round(gb).toLocaleString('en')} GiB`;
}
