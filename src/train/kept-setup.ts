/** What the threads of kept.ts are told, apart from them: whoever imports a worker's module would be one. */
import type { Shape } from '../tensor/index.ts';
import type { PolicyOf } from './batcher.ts';
import type { Freeze } from './frozen.ts';

export interface KeptSetup {
  readonly policy: PolicyOf;
  readonly freeze: Freeze;
  /** Frozen parameters of the encoder, by their paths in it, one after the other in `weights`. */
  readonly entries: readonly { readonly path: string; readonly shape: Shape }[];
  readonly weights: Float32Array;
  /** Threads inside one operation. */
  readonly threads: number;
}

/** Frames of one run of the program. */
export const FRAMES = 16;
