/** A decoder's numbers. */
import type { NDArray, Tree } from '../tensor/index.ts';

/** Fixed integers that are drawn once and never trained (a flow's permutations), by name. */
export type Buffers = Readonly<Record<string, readonly number[]>>;

export interface DecoderModel {
  readonly params: Tree<NDArray>;
  readonly buffers: Buffers;
}
