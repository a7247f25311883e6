/**
 * A whole decision, measured: pictures of two cameras and an instruction to a chunk of actions, through everything that a
 * policy does. Florence-2 in three sizes with the paper's MLP flow, random weights: how long it takes does not depend on the
 * numbers.
 *
 * Two views of 112 pixels, <Flow> and a text as long as LIBERO's (32 to 44 tokens with the reference's prompt): 67 to 79
 * tokens, of which base and large are measured with 72. The nano keeps 7 x 7 tokens a view: 133 with its own length of text.
 */
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { decoderSchema, drawModel } from '../decoders/index.ts';
import { encoderOf } from '../encoders/index.ts';
import { cpu } from '../engine/index.ts';
import { readText } from '../json-files.ts';
import { machine } from '../machine.ts';
import { blueprint, buildPolicy, type PolicyConfig } from '../policy/index.ts';
import { type Reporter, SILENT } from '../progress.ts';
import { fold, type Key, key, normals, rng } from '../random.ts';
import { type Observation, PANDA } from '../robot/index.ts';
import { lazily, leaves, mapTree, type NDArray, type Shape, type Spec } from '../tensor/index.ts';
import { summary, timingShape } from './measure.ts';

/** What is measured, the least memory first: what a process has held is never less again. */
export const WHOLE = [
  { name: 'Florence-2 nano', encoder: 'florence2-nano', settings: {}, backend: 'onnx' },
  { name: 'Florence-2 base', encoder: 'florence2-base', settings: { max_text: 37 }, backend: 'onnx-int8' },
  { name: 'Florence-2 large', encoder: 'florence2-large', settings: { max_text: 37 }, backend: 'onnx-int8' },
  { name: 'Florence-2 base', encoder: 'florence2-base', settings: { max_text: 37 }, backend: 'onnx' },
  { name: 'Florence-2 large', encoder: 'florence2-large', settings: { max_text: 37 }, backend: 'onnx' },
] as const;

export const wholeSchema = z.object({
  models: z.array(
    z.object({
      name: z.string(),
      /** 'onnx-int8': the encoder's matrices, and what is multiplied with them, of 8 bits. */
      backend: z.string(),
      threads: z.int().positive(),
      /** Of encoder and decoder. */
      params: z.int().positive(),
      /** Of the sequence that the text encoder reads. */
      tokens: z.int().positive(),
      ...timingShape,
      runs: z.int().positive(),
      /** The most that the process ever held up to here, this model and what was measured before it. */
      peak_bytes: z.int().positive(),
    }),
  ),
  machine: z.object({ cpu: z.string(), cores: z.int(), node: z.string(), engine: z.string(), package: z.string() }),
});
export type Whole = z.infer<typeof wholeSchema>;

export interface WholeOptions {
  readonly models: readonly (typeof WHOLE)[number][];
  readonly threads: number;
  /** How long to measure, shared equally; building the models comes on top. */
  readonly seconds: number;
  readonly report?: Reporter;
}

const WARMUP = 3;

export async function measureWhole({ models, threads, seconds, report = SILENT }: WholeOptions): Promise<Whole> {
  const rows: Whole['models'] = [];
  for (const { name, encoder, settings, backend } of models) {
    report.notice(`Building ${name}, ${backend} ...`);
    const { parts, params, tokens } = madeUp(encoder, settings);
    using policy = await buildPolicy(parts, { backend, engine: cpu, threads });
    report.notice(`Measuring ${name}, ${backend} ...`);
    const decide = () => policy.infer(OBSERVATION, { key: key(1), temperature: 1 });
    for (let i = 0; i < WARMUP; i++) await decide();
    const times: number[] = [];
    const end = performance.now() + (1000 * seconds) / models.length;
    do {
      const start = performance.now();
      await decide();
      times.push(performance.now() - start);
    } while (performance.now() < end);
    rows.push({ name, backend, threads, params, tokens, ...summary(times), peak_bytes: peakBytes() });
  }
  return { models: rows, machine: { ...machine(), engine: cpu.name } };
}

/** What the process held at most. */
const peakBytes = () => 1024 * process.resourceUsage().maxRSS;

/** Frames of the size that simulators record; a text shorter than its row, all of which is computed. */
const OBSERVATION: Observation = {
  images: Object.fromEntries(
    ['agentview', 'eye_in_hand'].map((view) => {
      const { u32 } = rng(fold(key(2), view));
      return [view, { width: 128, height: 128, data: Uint8Array.from({ length: 128 * 128 * 3 }, u32) }];
    }),
  ),
  instruction: 'pick up the alphabet soup and place it in the basket',
};

/** A policy whose encoder draws its weights when they are asked for, so that none need be held beside what is made of them. */
function madeUp(name: string, chosen: object) {
  const member = encoderOf({ name });
  // Of all sizes: any text has ids, and the time of a text is that of its row.
  const tokenizer = readText(fileURLToPath(new URL('../../pretrained/florence2-nano/tokenizer.json', import.meta.url)));
  const assets = { 'tokenizer.json': tokenizer };
  const settings = member.settings.parse({ ...chosen, prompt: '{instruction}' });
  const config: PolicyConfig = {
    encoder: member.configure(settings, { episodes: [], robot: PANDA, assets }),
    decoder: decoderSchema.parse({ name: 'nina', backbone: 'mlp', n_layers: 28, affine_dim: 64 }),
    robot: PANDA,
    acting: { multistep: 10, temperature: 1 },
  };
  const plan = blueprint(key(0), config);
  const { params: drawn, buffers } = drawModel({ params: plan.params.decoder, buffers: plan.buffers });
  const encoder = mapTree(plan.params.encoder, (spec: Spec, path) => quickly(spec, fold(key(0), path)));
  const params = { encoder, decoder: drawn };
  const count = leaves<NDArray>(params).reduce((n, [, { shape }]) => n + size(shape), 0);
  const parts = { config, statistics: { encoder: {} }, model: { params, buffers }, assets };
  return { parts, params: count, tokens: member.tokens(settings).count };
}

const size = (shape: Shape) => shape.reduce((a, b) => a * b, 1);

const TILE = normals(key(3), 1 << 20);

/** Numbers in no time: of large tables, the same ones over and over, from another on for each. */
function quickly({ shape, draw }: Spec, key: Key): NDArray {
  const n = size(shape);
  if (n < TILE.length) return { shape, data: draw() };
  const begin = rng(key).int(TILE.length);
  const scale = 1 / Math.sqrt(n / shape[0]);
  return lazily(shape, () => {
    const data = new Float32Array(n);
    for (let i = 0; i < n; i++) data[i] = scale * TILE[(begin + i) % TILE.length];
    return data;
  });
}
