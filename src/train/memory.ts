/**
 * Whether settings ask for more memory than there is: told, with the setting that asks for it, before anything is
 * allocated or written.
 */
import * as os from 'node:os';
import type { DecoderConfig } from '../decoders/index.ts';
import { UsageError } from '../errors.ts';
import { leastNumbers } from '../policy/index.ts';
import { settingsByPath, type TrainConfig, trainConfig } from './config.ts';
import { decoderConfig, encoderConfig } from './parts.ts';
import { settingsIn, split } from './settings.ts';

/** Parameters, gradient, two moments, average. */
const COPIES = 5;
const FLOAT_BYTES = 4;
/** An operation as an object, in ONNX and in the engine. */
const NODE_BYTES = 1000;

/** The least bytes that a training with these settings needs. */
export function leastBytes(config: TrainConfig): number {
  const decoder = decoderConfig(config.encoder, config.decoder);
  // What the data add to the encoder is not known yet.
  const encoder = encoderConfig(config.encoder, []);
  const { row, nodes } = footprint(decoder);
  const numbers = COPIES * leastNumbers({ encoder, decoder }) + config.training.batch_size * row;
  return FLOAT_BYTES * numbers + NODE_BYTES * nodes;
}

/**
 * Of the graphs of a decoder: the numbers that one row of a batch needs (its chunk and noise, and what each layer keeps
 * for the gradient), and the operations of a sample. T steps, A action dimension, D = T*A.
 */
function footprint(decoder: DecoderConfig): { row: number; nodes: number } {
  const { chunk_length: T, action_dim: A, n_layers: n } = decoder;
  const D = T * A;
  switch (decoder.decoder) {
    case 'nina': {
      const { affine_dim: H, block_depth } = decoder;
      if (decoder.backbone === 'mlp') return { row: 2 * D + n * (4 * H + 2 * D), nodes: 10 * n };
      return { row: 2 * D + n * (T / 2) * H * (2 + 4 * block_depth), nodes: 15 * n * block_depth };
    }
    case 'flower':
      return { row: 2 * D + n * T * decoder.dit_dim * 8, nodes: 20 * n * decoder.num_sampling_steps };
    case 'regression':
      return { row: 2 * D + n * decoder.hidden_dim, nodes: 2 * n };
  }
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
    `or less by 'ulimit -v'). Lower ${name}, which is ${value}, or batch_size, which is ${config.training.batch_size}.`
  );
}

/** The setting whose default would save most. */
function largestSetting(config: TrainConfig): { name: string; value: number; standard: number } {
  const { encoder, decoder } = config;
  const standards = settingsByPath(
    trainConfig(settingsIn({ encoder: { name: encoder.name }, decoder: { name: decoder.name } }, '')),
  );
  const candidates = Object.entries(settingsByPath(config)).flatMap(([path, value]) => {
    const standard = standards[path];
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
