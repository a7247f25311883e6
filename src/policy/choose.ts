/**
 * Which of several sampled chunks to act by: the most likely, or the most likely of those that continue what is still
 * being executed. Two good plans of a multimodal policy (left or right around an obstacle) are each likely; changing
 * between them at every chunk is not.
 */
import { square } from '../math.ts';
import type { Chunks } from './decoding.ts';

/**
 * Share of the samples, the nearest to the continued actions, among which likelihood decides. A rank, not a distance,
 * because it needs no scale: how far samples of one policy lie apart differs by orders of magnitude between free motion
 * and grasping.
 */
const NEAREST = 1 / 4;

/**
 * Index of the most likely chunk; given `continuing`, of the quarter of the chunks nearest to it (at least one).
 * @param continuing [m, A]: what of the previous chunk has not been executed; the chunks' first m actions overlap it.
 */
export function choose({ actions, logProb }: Required<Chunks>, continuing?: Float32Array): number {
  const K = logProb.length;
  const D = actions.length / K;
  const all = Array.from({ length: K }, (_, k) => k);
  const distances = continuing && all.map((k) => squaredDistance(actions.subarray(k * D), continuing));
  const candidates = distances
    ? all.sort((a, b) => distances[a] - distances[b]).slice(0, Math.max(1, Math.floor(K * NEAREST)))
    : all;
  return candidates.reduce((best, k) => (logProb[k] > logProb[best] ? k : best));
}

/** Of actions as they would be executed: clamped. */
function squaredDistance(chunk: Float32Array, continuing: Float32Array): number {
  return continuing.reduce((sum, wanted, i) => sum + square(Math.min(1, Math.max(-1, chunk[i])) - wanted), 0);
}
