/**
 * The paper's latency table, measured: every model on each of its backends in turns, and beside each time the limit of
 * this machine, which is to read the weights that a decode needs at the bandwidth measured in the same run.
 */
import { z } from 'zod';
import { fold, type Key } from '../random.ts';
import { bandwidthFor, fastest, measureBandwidth } from './bandwidth.ts';
import { machine, measureInterleaved } from './measure.ts';
import { type Decoder, type Model, open } from './models.ts';

const positive = z.number().positive();
const reading = z.object({ bytes: z.int().positive(), gb_per_s: positive });

export const latencySchema = z.object({
  models: z.array(
    z.object({
      name: z.string(),
      backend: z.string(),
      threads: z.int().positive(),
      params: z.int().positive(),
      /** Bytes of weights that one decode reads: four times the same ones if it takes four steps. */
      weight_bytes: z.int().positive(),
      min_ms: positive,
      median_ms: positive,
      p99_ms: positive,
      /** weight_bytes at `gb_per_s`. */
      limit_ms: positive,
      /** Bytes of different weights, which decide whether they stay in a cache. */
      resident_bytes: z.int().positive(),
      /** Of the smallest measured buffer that holds the resident bytes. */
      gb_per_s: positive,
      /** Measured decodes. */
      runs: z.int().positive(),
    }),
  ),
  /** What one thread reads, by the size of what it reads over and over. */
  bandwidth: z.object({ cache: reading, memory: reading, readings: z.array(reading) }),
  /** Encoder tokens that a diffusion decoder attends to. */
  tokens: z.int().positive(),
  machine: z.object({ cpu: z.string(), cores: z.int(), node: z.string(), engine: z.string(), package: z.string() }),
});

export type Latency = z.infer<typeof latencySchema>;

export interface LatencyOptions {
  readonly models: readonly Model[];
  /** S. */
  readonly tokens: number;
  readonly key: Key;
  /** How long to measure, shared equally; opening the models and measuring the bandwidth come on top. */
  readonly seconds: number;
  /** What is done now, in words. */
  readonly onProgress?: (doing: string) => void;
}

/** Turns of each decoder: enough that a disturbance of some seconds hits few of them. */
const ROUNDS = 10;
const WARMUP = 3;

export async function measureLatency(options: LatencyOptions): Promise<Latency> {
  const { models, tokens, key, seconds, onProgress = () => {} } = options;
  onProgress('Measuring the bandwidth ...');
  const before = measureBandwidth();
  const decoders: Decoder[] = [];
  try {
    for (const model of models) {
      onProgress(`Opening ${model.name} ...`);
      decoders.push(...(await open(model, { key: fold(key, model.name), tokens })));
    }
    const turnMs = (seconds * 1000) / (ROUNDS * decoders.length);
    onProgress(`Measuring ${decoders.length} decoders in turns for ${seconds} s ...`);
    const timings = await measureInterleaved(decoders, { warmup: WARMUP, rounds: ROUNDS, turnMs });
    onProgress('Measuring the bandwidth again ...');
    const readings = fastest(before, measureBandwidth());
    return {
      models: decoders.map(({ name, backend, threads, params, weights }, i) => {
        const { runs, min_ms, median_ms, p99_ms } = timings[i]!;
        const { gb_per_s } = bandwidthFor(readings, weights.residentBytes);
        return {
          ...{ name, backend, threads, params, weight_bytes: weights.readBytes, min_ms, median_ms, p99_ms },
          ...{ limit_ms: weights.readBytes / gb_per_s / 1e6, resident_bytes: weights.residentBytes, gb_per_s, runs },
        };
      }),
      bandwidth: { cache: readings[0]!, memory: readings.at(-1)!, readings },
      tokens,
      machine: machine(),
    };
  } finally {
    for (const decoder of decoders) decoder[Symbol.dispose]();
  }
}
