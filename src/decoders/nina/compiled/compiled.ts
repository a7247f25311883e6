/**
 * The contract of a decoder compiled for one-shot inference, whatever runs it.
 */
import type { Drawn, FoldedDecoder } from '../../folding.ts';

export const BACKENDS = ['onnx', 'wasm', 'wasm-int8'] as const;
/** 'onnx': the folded graph on ONNX Runtime. 'wasm': one WebAssembly function, float32; 'wasm-int8': with weights of 8 bits. */
export type Backend = (typeof BACKENDS)[number];

/** A NinA decoder with its weights inside; what it sees is its condition [B, C]. */
export interface CompiledNina extends FoldedDecoder {
  readonly backend: Backend;
  /** Calls with other sizes are errors that name both. */
  readonly maxBatch: number;
}

export type { Drawn };

/** @throws Error naming what does not fit. */
export function checkCall(
  what: string,
  x: Float32Array,
  cond: Float32Array,
  B: number,
  { D, C, maxBatch }: { D: number; C: number; maxBatch: number },
): void {
  if (!Number.isInteger(B) || B < 1 || B > maxBatch)
    throw new Error(`${what} was compiled for batches of 1 to ${maxBatch}; got ${B}. Compile with a larger maxBatch.`);
  if (x.length !== B * D || cond.length !== B * C)
    throw new Error(
      `${what} of a batch of ${B} needs ${B} x ${D} and ${B} x ${C} numbers (chunk and condition); got ${x.length} and ${cond.length}.`,
    );
}
