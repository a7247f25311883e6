/**
 * Whether settings ask for more memory than there is: told, with the setting that asks for it, before anything is
 * allocated or written.
 */
import * as os from 'node:os';
import { decoderOf } from '../decoders/index.ts';
import { UsageError } from '../errors.ts';
import { blueprint } from '../policy/index.ts';
import { key } from '../random.ts';
import { PANDA } from '../robot/index.ts';
import { layoutOf } from '../tensor/index.ts';
import { recipeSchema, settingsByPath, type TrainConfig } from './config.ts';
import { frozenPaths, without } from './frozen.ts';
import { decoderConfig, encoderConfig } from './parts.ts';
import { settingsOfSchema, split } from './settings.ts';
import { shardRows } from './shard.ts';

/** Parameters, two moments, average; of a thread parameters and gradient; the average as it is validated and saved. */
const COPIES = 4 + 2 + 1;
const FLOAT_BYTES = 4;
/** An operation as an object, in ONNX and in the engine. */
const NODE_BYTES = 1000;

/** The least bytes that a training with these settings needs. */
export function leastBytes(config: TrainConfig): number {
  const decoder = decoderConfig(config.decoder);
  // What the data add to the encoder, and their robot, is not known yet.
  const encoder = encoderConfig(config.encoder, { episodes: [], robot: PANDA, assets: {} });
  const { params } = blueprint(key(0), { encoder, decoder });
  const { row, nodes } = decoderOf(decoder).footprint(decoder);
  const { batch_size, freeze } = config.training;
  const { size } = layoutOf(params);
  const trained = layoutOf(without(params, frozenPaths(encoder, freeze))).size;
  const numbers = (COPIES + shardRows(batch_size).length) * trained + (size - trained) + batch_size * row;
  return FLOAT_BYTES * numbers + NODE_BYTES * nodes;
}

/** Memory of this machine, or of this container where that is less. */
function memoryBytes(): number {
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
      (fitsFrozen(config, memory)
        ? 'Most of it is for training the encoder; leave it as it begins: --freeze encoder.'
        : `Most of it is for ${name} ${value} (default: ${standard}); lower it.`),
  );
}

/** Whether it would do to train the decoder alone. */
const fitsFrozen = (config: TrainConfig, memory: number): boolean =>
  config.init !== undefined && leastBytes({ ...config, training: { ...config.training, freeze: 'encoder' } }) <= memory;

/** A training ran out of memory all the same: what to lower. */
export function memoryAdvice(config: TrainConfig): string {
  const { name, value } = largestSetting(config);
  return (
    `The training needs more memory than it may have (${gigabytes(memoryBytes())} on this machine or in this container, ` +
    `or less by 'ulimit -v'). Lower ${name}, which is ${value}, or batch_size, which is ${config.training.batch_size}.`
  );
}

/** The setting whose default would save most. */
function largestSetting(config: TrainConfig): { name: string; value: number; standard: number } {
  const standards = settingsOfSchema(recipeSchema(config.encoder.name, config.decoder.name));
  const candidates = Object.entries(settingsByPath(config)).flatMap(([path, value]) => {
    const standard = standards.get(path)?.safeParse(undefined).data;
    if (typeof value !== 'number' || typeof standard !== 'number') return [];
    return [{ name: path, value, standard, bytes: leastBytes(withSetting(config, path, standard)) }];
  });
  return candidates.reduce((best, one) => (one.bytes < best.bytes ? one : best));
}

function withSetting(config: TrainConfig, path: string, value: number): TrainConfig {
  const [section, name] = split(path);
  const part = config[section as keyof TrainConfig];
  return typeof part === 'object' ? { ...config, [section]: { ...part, [name]: value } } : { ...config, [name]: value };
}

function gigabytes(bytes: number): string {
  const gb = bytes / 2 ** 30;
  return `${gb < 10 ? gb.toFixed(1) : Math.round(gb).toLocaleString('en')} GiB`;
}
