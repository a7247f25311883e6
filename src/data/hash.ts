/** What a checkpoint remembers of its data: a hash over content, not over file names, dates or compression. */
import { createHash } from 'node:crypto';
import { PANDA } from '../robot/index.ts';
import type { Episode } from './episode.ts';

/**
 * sha256 (hex) over every episode's task, instruction, entities and numbers, in order; and its split and its robot where
 * the file has a split and the robot is not LIBERO's.
 */
export function dataHash(episodes: readonly Episode[]): string {
  const hash = createHash('sha256');
  for (const { suite, task, instruction, names, categories, split, robot, actions, state, poses } of episodes) {
    const text: unknown[] = [suite, task, instruction, names, categories, actions.length, poses.length];
    if (split !== undefined) text.push(split);
    if (robot !== PANDA) text.push(robot);
    hash.update(JSON.stringify(text));
    for (const table of [actions, state, poses])
      hash.update(new Uint8Array(table.buffer, table.byteOffset, table.byteLength));
  }
  return hash.digest('hex');
}
