/**
 * Training windows: a chunk of T actions for every start step of every episode.
 *
 * Near the end of an episode fewer than T actions are left. The tail is padded with an action that keeps the arm where
 * it is: zero motion and the last gripper command. Actions are deltas, so repeating the last one would go on moving.
 */
import { ACTION_SIZE } from './actions.ts';
import type { Episode } from './reader.ts';

/** A chunk by its place: actions [start, start + T) of episodes[episode], padded at the end. */
export interface Window {
  episode: number;
  start: number;
}

/** One window per step of every episode, in order. */
export function windows(episodes: readonly Pick<Episode, 'length'>[]): Window[] {
  return episodes.flatMap(({ length }, episode) => Array.from({ length }, (_, start) => ({ episode, start })));
}

/**
 * Writes the chunk of T actions that starts at `start`.
 * @param out target of at least offset + T * 7 entries; [T, 7] is written from `offset`
 */
export function writeChunk(
  episode: Pick<Episode, 'actions' | 'length'>,
  start: number,
  T: number,
  out: Float32Array,
  offset = 0,
): void {
  const recorded = Math.min(T, episode.length - start);
  out.set(episode.actions.subarray(start * ACTION_SIZE, (start + recorded) * ACTION_SIZE), offset);
  const gripper = episode.actions[episode.length * ACTION_SIZE - 1];
  for (let t = recorded; t < T; t++) {
    const row = offset + t * ACTION_SIZE;
    out.fill(0, row, row + ACTION_SIZE - 1);
    out[row + ACTION_SIZE - 1] = gripper;
  }
}
