/**
 * The contract of whatever runs graphs, apart from all of them, so that a model can name it and load none. An engine is an argument;
 * only what runs in Node alone has a default (`cpu` in index.ts).
 */
import type { Signature } from '../tensor/onnx/emit.ts';
import type { Tensor } from '../tensor/tensor.ts';

export type Feed = Float32Array | BigInt64Array;

/** What ONNX Runtime for Node computes on. */
export const NODE_DEVICES = ['cpu', 'webgpu'] as const;
export type NodeDevice = (typeof NODE_DEVICES)[number];
export type Device = NodeDevice | 'wasm';

export interface CompileOptions {
  /** Threads inside one operation, 1 unless given. More than one helps large products and hurts small graphs. */
  readonly threads?: number;
  /**
   * 'shared', unless given: weights are read from their arrays at each run, and the program keeps none. 'packed': they are
   * copied now, laid out for fast products, and what follows from them alone is computed; later changes are not seen. 'int8':
   * as 'packed', with matrices rounded to 8 bits, and what is multiplied with them when it comes: another model, a quarter of
   * the size. Of ONNX Runtime alone.
   */
  readonly weights?: 'shared' | 'packed' | 'int8';
}

export interface Program extends Disposable {
  readonly signature: Signature;
  /** How many operations the program has. */
  readonly nodes: number;
  /**
   * Runs the program.
   * @param feeds one flat array per input, row-major.
   * @param into preallocated arrays for outputs; the others are allocated.
   * @throws Error naming a missing, unknown or wrongly sized feed; NinaError after disposal.
   */
  run(feeds: Record<string, Feed>, into?: Record<string, Float32Array>): Promise<Record<string, Float32Array>>;
}

export interface Engine {
  /** Library and version, recorded with every result: 'onnxruntime-node 1.30.0'. */
  readonly name: string;
  readonly device: Device;
  /**
   * Compiles the graph of named results into a program. @throws NinaError when it cannot run here.
   * @example
   * ```ts
   * import { wasm } from 'nina-vla/engine/wasm';
   * import { add, input, matmul, weight } from 'nina-vla/tensor';
   *
   * const x = input('x', [1, 2]);
   * const y = add(matmul(x, weight(Float32Array.of(1, 2, 3, 4), [2, 2])), weight(Float32Array.of(0.5, 0.5), [2]));
   * using program = await wasm.compile({ y });
   * const answer = await program.run({ x: Float32Array.of(1, 1) });
   * console.log(answer.y); // 4.5, 6.5
   * ```
   */
  compile(outputs: Record<string, Tensor>, options?: CompileOptions): Promise<Program>;
}
