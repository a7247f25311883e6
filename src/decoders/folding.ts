/**
 * Inference of a decoder in another form than the graph that was trained: the same function with fewer numbers and
 * fewer steps. A decoder that has one says so in its value (decoder.ts).
 */
import type { Engine } from '../engine/engine.ts';
import type { Tensor } from '../tensor/index.ts';
import type { DecoderModel } from './model.ts';

export interface Folding<C> {
  /** The names of what can run the folded decoder, of a policy's backends. */
  readonly backends: readonly string[];
  /** @throws Error if config and model disagree, or the decoder cannot be folded. */
  compile(
    config: C,
    model: DecoderModel,
    options: FoldingOptions & { readonly backend: string },
  ): Promise<FoldedDecoder>;
  /**
   * The folded decoder as graphs for a batch of B, as ONNX export writes them. In: `z` or `actions` [B, D], `condition`
   * [B, C]. Out: `actions` [B, D], `logProb` [B].
   */
  graphs(config: C, model: DecoderModel): FoldedGraphs;
}

export interface FoldingOptions {
  /** Largest batch of a call. */
  readonly maxBatch?: number;
  /** What runs the graphs of a backend that is no program of its own. */
  readonly engine?: Engine;
  /** Threads inside one operation of the engine. */
  readonly threads?: number;
}

export interface FoldedGraphs {
  sample(B: number): { readonly actions: Tensor; readonly logProb: Tensor };
  logProb(B: number): { readonly logProb: Tensor };
}

/** A decoder with its weights inside. B batch, D = T*A, C numbers of context. */
export interface FoldedDecoder extends Disposable {
  readonly backend: string;
  /** Bytes of weights that one decode reads. */
  readonly weightBytes: number;
  /**
   * Noise z [B, D] to actions [B, D], not clamped, and their log p [B] in nats. Results are overwritten by the next call:
   * one call at a time.
   */
  sample(z: Float32Array, seen: Float32Array, B: number): Promise<Drawn> | Drawn;
  /** log p(actions | seen) [B] in nats, of actions [B, D]; overwritten by the next call. */
  logProb(actions: Float32Array, seen: Float32Array, B: number): Promise<Float32Array> | Float32Array;
}

export interface Drawn {
  readonly actions: Float32Array;
  readonly logProb: Float32Array;
}
