/**
 * From a trained decoder to one that only infers, by a named backend.
 */
import type { Engine } from '../../../engine/engine.ts';
import type { NinaConfig } from '../config.ts';
import type { Model } from '../nina.ts';
import type { Backend, CompiledNina } from './compiled.ts';
import { foldNina } from './folded.ts';
import { compileOnnx } from './onnx.ts';
import { compileWasm } from './wasm/runtime.ts';

export interface CompileNinaOptions {
  /** What runs the backend 'onnx'; the others need none. */
  readonly engine?: Engine;
  /** Largest batch of a call. */
  readonly maxBatch?: number;
  /** Threads of the engine; WebAssembly runs on the caller's. */
  readonly threads?: number;
}

const MAX_BATCH = 16;

/** @throws Error if config and model disagree, or a PLU is singular. */
export async function compileNina(
  config: NinaConfig,
  model: Model,
  { backend, engine, maxBatch = MAX_BATCH, threads = 1 }: CompileNinaOptions & { readonly backend: Backend },
): Promise<CompiledNina> {
  const folded = foldNina(config, model);
  if (backend !== 'onnx')
    return compileWasm(folded, { maxBatch, precision: backend === 'wasm-int8' ? 'int8' : 'float32' });
  if (!engine) throw new Error("The backend 'onnx' runs on an engine, and none was given: pass `engine`.");
  return compileOnnx(folded, { engine, maxBatch, threads });
}
