/**
 * What runs a graph: compile once, run often. An engine is an argument wherever graphs are run; this file is types alone.
 */
import type { Signature } from '../tensor/onnx/emit.ts';
import type { Tensor } from '../tensor/tensor.ts';

export type Feed = Float32Array | BigInt64Array;

export interface Program extends Disposable {
  readonly signature: Signature;
  /** How many nodes the engine runs. */
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
  /** With its version: 'onnxruntime-node 1.30.0'. */
  readonly name: string;
  readonly device: 'cpu' | 'webgpu' | 'wasm';
  /** The program that computes the named outputs. `threads` inside one operation, where the engine has them. */
  compile(outputs: Record<string, Tensor>, options?: { threads?: number }): Promise<Program>;
}
