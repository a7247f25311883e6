/**
 * A decoder as one WebAssembly module: the same bytes in Node and in a browser, nothing imported, nothing allocated per
 * call. Importing this file loads no engine.
 */
import { Lifetime } from '../../../../lifetime.ts';
import { instantiate } from '../../../../tensor/wasm/instantiate.ts';
import { type CompiledNina, checkCall } from '../compiled.ts';
import type { Folded } from '../folded.ts';
import type { Precision } from './linear.ts';
import { ninaModule } from './module.ts';

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  sample(batch: number): void;
  logProb(batch: number): void;
}

/** Answers at once (not by a promise); results are views of the module's memory. */
export interface WasmNina extends CompiledNina {
  sample(
    z: Float32Array,
    cond: Float32Array,
    B: number,
  ): { readonly actions: Float32Array; readonly logProb: Float32Array };
  logProb(actions: Float32Array, cond: Float32Array, B: number): Float32Array;
}

/**
 * Compiles a folded decoder for batches of 1 to `maxBatch` chunks.
 * @param folded of `foldNina`; its weights are copied
 * @param options `precision`: 'int8' reads a quarter of the weights and answers a little differently
 * @returns `sample(z [B, T*A], cond [B, C], B)` and `logProb(actions [B, T*A], cond [B, C], B)` in nats
 * @throws NinaError where address space is too short
 * @example
 * ```ts
 * import { init } from 'nina-vla/decoders/nina';
 * import { compileWasm, foldNina, ninaSchema } from 'nina-vla/decoders/nina/wasm';
 * import { key, normals } from 'nina-vla/random';
 *
 * const config = ninaSchema.parse({ n_layers: 4 });
 * const model = init(key(0), config); // or a trained one
 * using decoder = await compileWasm(foldNina(config, model), { maxBatch: 16 });
 * const { actions, logProb } = decoder.sample(normals(key(1), 16 * 70), normals(key(2), 16 * config.cond_dim), 16);
 * console.log(actions.length, logProb.length); // 16 x 70 and 16
 * ```
 */
export async function compileWasm(
  folded: Folded,
  { maxBatch, precision = 'float32' }: { maxBatch: number; precision?: Precision },
): Promise<WasmNina> {
  const { config } = folded;
  const [D, C] = [config.chunk_length * config.action_dim, config.cond_dim];
  const module = ninaModule(folded, maxBatch, precision);
  const exports = await instantiate<Exports>(module.bytes, 'The compiled decoder');
  const { addresses: at, conditionStride } = module;
  const { buffer } = exports.memory;
  module.fill(buffer);
  const chunk = new Float32Array(buffer, at.chunk, maxBatch * D);
  const condition = new Float32Array(buffer, at.condition, maxBatch * conditionStride);
  // One view per batch size, made once.
  const results = Array.from({ length: maxBatch }, (_, i) => ({
    actions: new Float32Array(buffer, at.actions, (i + 1) * D),
    logProb: new Float32Array(buffer, at.logProb, i + 1),
  }));
  // The memory goes with the object; disposal only ends its use, as of every other compiled decoder.
  const life = new Lifetime('The compiled decoder', 'compile it again');
  const write = (what: string, x: Float32Array, cond: Float32Array, B: number) => {
    life.check();
    checkCall(what, x, cond, B, { D, C, maxBatch });
    chunk.set(x);
    if (C === conditionStride) condition.set(cond);
    else for (let b = 0; b < B; b++) for (let i = 0; i < C; i++) condition[b * conditionStride + i] = cond[b * C + i];
  };
  return {
    backend: precision === 'int8' ? 'wasm-int8' : 'wasm',
    maxBatch,
    weightBytes: module.weightBytes,
    sample(z, cond, B) {
      write('sample', z, cond, B);
      exports.sample(B);
      return results[B - 1];
    },
    logProb(actions, cond, B) {
      write('logProb', actions, cond, B);
      exports.logProb(B);
      return results[B - 1].logProb;
    },
    [Symbol.dispose]: () => life[Symbol.dispose](),
  };
}
