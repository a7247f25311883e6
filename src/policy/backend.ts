/**
 * What computes a policy. Every policy runs as generated WebAssembly ('wasm', which needs no engine) and as the graph that
 * was trained ('graph', on an engine); one whose decoder can be folded for inference also in its other folded forms.
 * Backends agree to rounding (those with weights of 8 bits: to their rounding), not to the bit, so a result records its own.
 */
import { decoderOf } from '../decoders/index.ts';
import { UsageError } from '../errors.ts';
import { key, normals } from '../random.ts';
import { median } from '../statistics/index.ts';
import { isRounded, POLICY_BACKENDS, type PolicyBackend } from './backends.ts';
import type { PolicyConfig } from './config.ts';
import { compileDecoding, type Decoding, type EngineOptions } from './decoding.ts';
import { contextShape, type PolicyModel } from './model.ts';

/** Of every decoder; nothing is measured for it, so the same checkpoint is computed alike everywhere. */
const DEFAULT: PolicyBackend = 'wasm';

/**
 * The backend that is meant: the given one if the decoder has it, the default if none is given; 'auto' measures which exact
 * one is the fastest here and now.
 * @throws UsageError for a backend that this decoder does not have.
 */
export async function resolveBackend(
  config: PolicyConfig,
  model: PolicyModel,
  wanted: PolicyBackend | 'auto' = DEFAULT,
  options: EngineOptions = {},
): Promise<PolicyBackend> {
  const { name, folding } = decoderOf(config.decoder);
  const has = (backend: PolicyBackend) =>
    ['wasm', 'graph', 'onnx-int8', ...(folding?.backends ?? [])].includes(backend);
  if (wanted === 'auto') return fastest(config, model, POLICY_BACKENDS.filter(has), options);
  if (has(wanted)) return wanted;
  const names = POLICY_BACKENDS.filter(has).map((backend) => `'${backend}'`);
  throw new UsageError(`--backend ${wanted}: this policy's ${name} decoder has only ${names.join(', ')}.`);
}

/** An engine compiles what it runs often a second time, better, and meanwhile runs the first version. */
const WARM_UP_MS = 300;
const RUNS = 11;

/** Of those that compute what was trained: each decodes one chunk a few times in turn, the median counts. */
async function fastest(
  config: PolicyConfig,
  model: PolicyModel,
  names: readonly PolicyBackend[],
  options: EngineOptions,
): Promise<PolicyBackend> {
  // Eight bits are another model, chosen only by name.
  const exact = names.filter((name) => !isRounded(name) && (name === 'wasm' || options.engine));
  const z = normals(key(0), config.decoder.chunk_length * config.decoder.action_dim);
  const seen = normals(
    key(1),
    contextShape(config, 1).reduce((a, b) => a * b, 1),
  );
  const candidates: { decoding: Decoding; times: number[] }[] = [];
  const timed = async ({ decoding }: { decoding: Decoding }) => {
    const start = performance.now();
    await decoding.sample(z, seen);
    return performance.now() - start;
  };
  try {
    for (const name of exact)
      candidates.push({ decoding: await compileDecoding(config, model, name, options), times: [] });
    for (const one of candidates) for (let spent = 0; spent < WARM_UP_MS; ) spent += await timed(one);
    for (let run = 0; run < RUNS; run++) for (const one of candidates) one.times.push(await timed(one));
  } finally {
    for (const { decoding } of candidates) decoding[Symbol.dispose]();
  }
  return candidates.reduce((best, one) => (median(one.times) < median(best.times) ? one : best)).decoding.backend;
}
