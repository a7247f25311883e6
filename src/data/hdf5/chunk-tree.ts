/**
 * A B-tree of version 2 as an index of chunks (HDF5 File Format Specification, section III.A.2): datasets that grow along
 * more than one dimension, in HDF5's newer formats.
 */
import type { Chunk } from './chunk.ts';
import type { RawFile } from './raw.ts';

/** Bytes that hold numbers up to `limit`. */
const bytesFor = (limit: number) => Math.floor(Math.log2(limit) / 8) + 1;

/** The chunks of the tree whose header is at `address`. @param rank dimensions of the dataset */
export function treeOfVersion2(raw: RawFile, address: number, rank: number): Chunk[] {
  const { sizeOfAddress: O, sizeOfLength: L } = raw;
  const head = raw.read(address, 18 + O + L);
  if (head.text(4) !== 'BTHD') throw raw.damaged('an index of chunks is not where it should be');
  head.skip(2);
  const nodeBytes = head.uint(4);
  const recordBytes = head.uint(2);
  const depth = head.uint(2);
  const root = raw.address(head.skip(2));
  const inRoot = head.uint(2);
  if (root === undefined) return [];
  const sizeBytes = recordBytes - O - 4 - 8 * rank;

  // How many records a node and all below it can have says how wide the counts beside its pointers are.
  const inLeaf = Math.floor((nodeBytes - 10) / recordBytes);
  const countBytes = bytesFor(inLeaf);
  const totalBytes = [0];
  let total = inLeaf;
  for (let level = 1; level <= depth; level++) {
    const pointer = O + countBytes + totalBytes[level - 1];
    const inNode = Math.floor((nodeBytes - 10 - pointer) / (recordBytes + pointer));
    total = (inNode + 1) * total + inNode;
    totalBytes.push(bytesFor(total));
  }

  const met = new Set<number>();
  const node = (at: number, records: number, level: number): Chunk[] => {
    if (met.has(at)) throw raw.damaged('an index of chunks runs in a circle');
    met.add(at);
    const pointer = O + countBytes + (totalBytes[level - 1] ?? 0);
    const body = raw.read(at, 6 + records * recordBytes + (level > 0 ? (records + 1) * pointer : 0));
    if (body.text(4) !== (level > 0 ? 'BTIN' : 'BTLF')) throw raw.damaged('an index of chunks has a broken node');
    body.skip(2);
    const chunks = Array.from({ length: records }, (): Chunk[] => {
      const chunkAt = raw.address(body);
      const size = sizeBytes > 0 ? body.uint(sizeBytes) : undefined;
      const mask = sizeBytes > 0 ? body.uint(4) : 0;
      const place = Array.from({ length: rank }, () => body.uint(8));
      return chunkAt === undefined ? [] : [{ place, address: chunkAt, size, mask }];
    }).flat();
    if (level === 0) return chunks;
    for (let i = 0; i <= records; i++) {
      const child = raw.address(body);
      const count = body.uint(countBytes);
      body.skip(totalBytes[level - 1]);
      if (child !== undefined) chunks.push(...node(child, count, level - 1));
    }
    return chunks;
  };
  return node(root, inRoot, depth);
}
