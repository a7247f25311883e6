/**
 * From a trained decoder to one that only infers: by a named backend, or by the fastest on this machine.
 */
import type { Engine } from '../../../engine/engine.ts';
import { key, normals } from '../../../random.ts';
import type { NinaConfig } from '../config.ts';
import type { Model } from '../nina.ts';
import type { Backend, CompiledNina } from './compiled.ts';
import { type Folded, foldNina } from './folded.ts';
import { compileOnnx } from './onnx.ts';
import { compileWasm } from './wasm/runtime.ts';

export interface CompileNinaOptions {
  /** What runs the backend 'onnx'. */
  readonly engine: Engine;
  /** Largest batch of a call. */
  readonly maxBatch?: number;
  /** Threads of the engine; WebAssembly runs on the caller's. */
  readonly threads?: number;
}

/** Median milliseconds of one decode, by backend. */
export type Measured = Readonly<Record<string, number>>;

const MAX_BATCH = 16;
/** Backends that compute what was trained. Eight bits are another model, chosen only by name. */
const EXACT: readonly Backend[] = ['wasm', 'onnx'];
/** An engine compiles what it runs often a second time, better, and meanwhile runs the first version. */
const WARM_UP_MS = 300;
const RUNS = 11;

/** @throws Error if config and model disagree, or a PLU is singular. */
export function compileNina(
  config: NinaConfig,
  model: Model,
  { backend, ...options }: CompileNinaOptions & { readonly backend: Backend },
): Promise<CompiledNina> {
  return compileFolded(foldNina(config, model), backend, options);
}

/** The fastest float32 backend on this machine now: each decodes one chunk a few times in turn, the median counts. */
export async function compileFastest(
  config: NinaConfig,
  model: Model,
  options: CompileNinaOptions,
): Promise<CompiledNina & { readonly measured: Measured }> {
  const folded = foldNina(config, model);
  const candidates: { compiled: CompiledNina; times: number[] }[] = [];
  for (const backend of EXACT) candidates.push({ compiled: await compileFolded(folded, backend, options), times: [] });
  const z = normals(key(0), config.chunk_length * config.action_dim);
  const cond = normals(key(1), config.cond_dim);
  const timed = async ({ compiled }: { compiled: CompiledNina }) => {
    const start = performance.now();
    await compiled.sample(z, cond, 1);
    return performance.now() - start;
  };
  for (const candidate of candidates) for (let spent = 0; spent < WARM_UP_MS; ) spent += await timed(candidate);
  for (let run = 0; run < RUNS; run++) for (const candidate of candidates) candidate.times.push(await timed(candidate));
  const median = (times: readonly number[]) => times.toSorted((a, b) => a - b)[times.length >> 1];
  candidates.sort((a, b) => median(a.times) - median(b.times));
  for (const { compiled } of candidates.slice(1)) compiled[Symbol.dispose]();
  const measured = Object.fromEntries(candidates.map(({ compiled, times }) => [compiled.backend, median(times)]));
  return { ...candidates[0].compiled, measured };
}

async function compileFolded(
  folded: Folded,
  backend: Backend,
  { engine, maxBatch = MAX_BATCH, threads = 1 }: CompileNinaOptions,
): Promise<CompiledNina> {
  if (backend === 'onnx') return compileOnnx(folded, { engine, maxBatch, threads });
  return compileWasm(folded, { maxBatch, precision: backend === 'wasm-int8' ? 'int8' : 'float32' });
}
