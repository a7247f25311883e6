/**
 * Training windows: a chunk of T actions for every start step of every episode.
 *
 * Near the end of an episode fewer than T actions are left. The tail is padded with what keeps the robot where it is, as
 * each dimension of its action says: a motion of zero, or the last command held.
 */
import { actionSize, padActions } from '../robot/index.ts';
import type { Episode } from './episode.ts';

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
 * @param out [T, A]
 */
export function writeChunk(
  { robot, actions, length }: Pick<Episode, 'robot' | 'actions' | 'length'>,
  start: number,
  out: Float32Array,
): void {
  const A = actionSize(robot);
  const recorded = Math.min(out.length / A, length - start);
  out.set(actions.subarray(start * A, (start + recorded) * A));
  padActions(robot.action, out, recorded, actions.subarray((length - 1) * A));
}
