/**
 * How vectors are padded in memory: every token starts at a multiple of 4 numbers, so that SIMD never crosses into the
 * next. A place is an index in memory; padding is zero and no one's.
 */
import { PANEL, roundUp } from '../../../../tensor/wasm/product.ts';
import type { NinaConfig } from '../../config.ts';

export interface Places {
  /** Of half a chunk: one half as a whole (mlp), or T/2 time steps (trans). */
  readonly tokens: number;
  /** Numbers of a token: true, in a chunk in memory, and as the output of a product. */
  readonly tokenSize: number;
  readonly tokenStride: number;
  readonly tokenPanels: number;
  /** Numbers of half a chunk in memory. */
  readonly half: number;
  /** Where scalar j of a chunk lies. */
  scalar(j: number): number;
}

export function placesOf({ backbone, chunk_length: T, action_dim: A }: NinaConfig): Places {
  const tokens = backbone === 'mlp' ? 1 : T / 2;
  const tokenSize = (T * A) / 2 / tokens;
  const tokenStride = roundUp(tokenSize, 4);
  return {
    tokens,
    tokenSize,
    tokenStride,
    tokenPanels: roundUp(tokenSize, PANEL),
    half: tokens * tokenStride,
    scalar: (j) => Math.floor(j / tokenSize) * tokenStride + (j % tokenSize),
  };
}

/** For each place which index lies there, -1 where none does: `groups` runs of `size` indices, `stride` places apart. */
export function padded(groups: number, size: number, stride: number): number[] {
  return Array.from({ length: groups * stride }, (_, at) =>
    at % stride < size ? Math.floor(at / stride) * size + (at % stride) : -1,
  );
}
