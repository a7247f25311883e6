/** What a checkpoint remembers of its data: a hash over content, not over file names, dates or compression. */
import { createHash } from 'node:crypto';
import type { Episode } from './reader.ts';

/** sha256 (hex) over every episode's task, instruction, entities, numbers, and its split where the file has one, in order. */
export function dataHash(episodes: readonly Episode[]): string {
  const hash = createHash('sha256');
  for (const { suite, task, instruction, names, categories, split, actions, proprio, entities } of episodes) {
    const text = [suite, task, instruction, names, categories, actions.length, entities.length];
    hash.update(JSON.stringify(split === undefined ? text : [...text, split]));
    for (const table of [actions, proprio, entities])
      hash.update(new Uint8Array(table.buffer, table.byteOffset, table.byteLength));
  }
  return hash.digest('hex');
}
