/**
 * The contract of a decoder compiled for one-shot inference, whatever runs it.
 */
export const BACKENDS = ['onnx', 'wasm', 'wasm-int8'] as const;
/** 'onnx': the folded graph on ONNX Runtime. 'wasm': one WebAssembly function, float32; 'wasm-int8': with weights of 8 bits. */
export type Backend = (typeof BACKENDS)[number];

/** A decoder with its weights inside. Letters: B batch, T chunk length, A action dimension, C condition dimension. */
export interface CompiledNina extends Disposable {
  readonly backend: Backend;
  readonly maxBatch: number;
  /** Bytes of weights that one decode reads. */
  readonly weightBytes: number;
  /**
   * Noise z [B, T*A] to actions [B, T*A], not clamped, and their log p [B] in nats. Results are overwritten by the
   * next call: one call at a time.
   * @throws Error for arrays of another size, or a batch above maxBatch.
   */
  sample(z: Float32Array, cond: Float32Array, B: number): Promise<Drawn> | Drawn;
  /** log p(actions | cond) [B] in nats, of actions [B, T*A] given cond [B, C]; overwritten by the next call. */
  logProb(actions: Float32Array, cond: Float32Array, B: number): Promise<Float32Array> | Float32Array;
}

export interface Drawn {
  readonly actions: Float32Array;
  readonly logProb: Float32Array;
}

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
