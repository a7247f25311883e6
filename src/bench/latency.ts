/**
 * The paper's latency table, measured: every model on each of its backends in turns, and beside each time the limit of
 * this machine, which is to read the weights that a decode needs at the bandwidth measured in the same run.
 */
import * as z from 'zod';
import { cpu } from '../engine/index.ts';
import { machine } from '../machine.ts';
import { type Reporter, SILENT } from '../progress.ts';
import { fold, type Key } from '../random.ts';
import { bandwidthFor, fastest, measureBandwidth, type Reading } from './bandwidth.ts';
import { measureInterleaved, type Timing, timingShape } from './measure.ts';
import { type Decoder, type Model, open, openPooling, PAPER_TOKENS, PAPER_WIDTH } from './models.ts';

const positive = z.number().positive();
const reading = z.object({ bytes: z.int().positive(), gb_per_s: positive });

export const latencySchema = z.object({
  models: z.array(
    z.object({
      name: z.string(),
      /** 'graph' is the decoder as trained; the others are what a NinA decoder is compiled to. */
      backend: z.string(),
      threads: z.int().positive(),
      params: z.int().positive(),
      /** Bytes of weights that one decode reads: four times the same ones if it takes four steps. */
      weight_bytes: z.int().positive(),
      ...timingShape,
      /** weight_bytes at gb_per_s. */
      limit_ms: positive,
      /** 10^9 bytes per second that one thread reads from the smallest measured buffer that holds the resident bytes. */
      gb_per_s: positive,
      /** Bytes of different weights. */
      resident_bytes: z.int().positive(),
      /** Measured decodes. */
      runs: z.int().positive(),
      /** Largest difference of an action from the same model's 'graph', as a share of the largest action. */
      max_difference: z.number().min(0),
    }),
  ),
  /** What one thread reads, by the size of what it reads over and over. */
  bandwidth: z.object({ cache: reading, memory: reading, readings: z.array(reading) }),
  /** What a decoder conditioned on one vector needs before: the mean of so many tokens, projected. Not in its times. */
  pooling: z.object({ tokens: z.int().positive(), ...timingShape }),
  machine: z.object({ cpu: z.string(), cores: z.int(), node: z.string(), engine: z.string(), package: z.string() }),
});

export type Latency = z.infer<typeof latencySchema>;

export interface LatencyOptions {
  readonly models: readonly Model[];
  readonly key: Key;
  /** How long to measure, shared equally; opening the models and measuring the bandwidth come on top. */
  readonly seconds: number;
  /** Told what is done now. */
  readonly report?: Reporter;
}

/** Turns of each decoder: enough that a disturbance of some seconds hits few of them. */
const ROUNDS = 10;
const WARMUP = 3;
/** C of the paper's decoders. */
const CONDITION = 256;

/** @throws NinaError if a backend does not answer what its model answers. */
export async function measureLatency({ models, key, seconds, report = SILENT }: LatencyOptions): Promise<Latency> {
  report.notice('Measuring the bandwidth ...');
  const before = await measureBandwidth();
  const decoders: Decoder[] = [];
  try {
    for (const model of models) {
      report.notice(`Opening ${model.name} ...`);
      for await (const decoder of open(model, fold(key, model.name))) decoders.push(decoder);
    }
    const pooling = await openPooling(PAPER_TOKENS, PAPER_WIDTH, CONDITION, fold(key, 'pooling'));
    decoders.push(pooling);
    const turnMs = (seconds * 1000) / (ROUNDS * decoders.length);
    report.notice(`Measuring ${models.length} models on their backends in turns, ${seconds} s in all ...`);
    const timings = await measureInterleaved(decoders, { warmup: WARMUP, rounds: ROUNDS, turnMs });
    report.notice('Measuring the bandwidth again ...');
    const readings = fastest(before, await measureBandwidth());
    const { name: _, runs: __, ...pooled } = timings.pop()!;
    return {
      models: timings.map((measured, i) => row(decoders[i], measured, readings)),
      bandwidth: { cache: readings[0], memory: readings.at(-1)!, readings },
      pooling: { tokens: PAPER_TOKENS, ...pooled },
      machine: { ...machine(), engine: cpu.name },
    };
  } finally {
    for (const decoder of decoders) decoder[Symbol.dispose]();
  }
}

function row(
  { name, backend, threads, params, weights, maxDifference }: Decoder,
  { runs, min_ms, median_ms, p99_ms }: Timing,
  readings: readonly Reading[],
): Latency['models'][number] {
  const { gb_per_s } = bandwidthFor(readings, weights.residentBytes);
  return {
    ...{ name, backend, threads, params, weight_bytes: weights.readBytes, min_ms, median_ms, p99_ms },
    ...{ limit_ms: weights.readBytes / gb_per_s / 1e6, gb_per_s, resident_bytes: weights.residentBytes },
    ...{ runs, max_difference: maxDifference },
  };
}
