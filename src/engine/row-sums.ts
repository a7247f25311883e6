/**
 * The gradient of an embedding, added up where it is wanted. The rows of a batch are megabytes, their table may be
 * hundreds: the runtime would make one of zeros, another of sums, and a copy of that as its result.
 */
import type { Feed } from './engine.ts';

/** @returns table [V, E] = the sum of rows [N, E] with each id [N], in the order of rows. @throws Error naming an id that is none. */
export function sumRows(table: Float32Array, rows: Float32Array, ids: Feed): Float32Array {
  const E = rows.length / ids.length;
  const V = table.length / E;
  table.fill(0);
  for (let n = 0; n < ids.length; n++) {
    const id = Number(ids[n]);
    if (id < 0 || id >= V) throw new Error(`Id ${id} names no row of a table of ${V}.`);
    for (let e = 0; e < E; e++) table[id * E + e] += rows[n * E + e];
  }
  return table;
}
