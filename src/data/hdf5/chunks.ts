/**
 * The chunks of a dataset that are in the file, by walking its index (HDF5 File Format Specification, sections III.A.1
 * and VII). Needed because the library hands back fill values for chunks that were never written, and to decode chunks
 * whose filter the library lacks.
 */
import type { Chunk } from './chunk.ts';
import { chunkArray } from './chunk-arrays.ts';
import { treeOfVersion2 } from './chunk-tree.ts';
import type { Layout } from './layout.ts';
import type { RawFile } from './raw.ts';

type Chunked = Extract<Layout, { kind: 'chunked' }>;

/**
 * @param shape of the dataset now
 * @param maximum the largest shape it may take, Infinity where unlimited
 * @returns undefined where the index is not walked here: an extensible array so long that it has pages
 */
export function chunksOf(
  raw: RawFile,
  { address, index, chunk }: Chunked,
  shape: readonly number[],
  maximum: readonly number[],
): Chunk[] | undefined {
  if (address === undefined) return [];
  switch (index.kind) {
    case 'tree-1':
      return tree(raw, address, chunk);
    case 'single':
      return [{ place: chunk.map(() => 0), address, size: index.filtered?.size, mask: index.filtered?.mask ?? 0 }];
    case 'tree-2':
      return treeOfVersion2(raw, address, chunk.length);
    default:
      return chunkArray(raw, address, index.kind, grid(shape, chunk), grid(maximum, chunk));
  }
}

/** Chunks along each dimension. */
export const grid = (shape: readonly number[], chunk: readonly number[]) =>
  shape.map((size, d) => Math.ceil(size / chunk[d]));

/** A B-tree of version 1, type 1: keys (size, mask, offsets) between the addresses of children. */
function tree(raw: RawFile, address: number, chunk: readonly number[], met: Set<number> = new Set()): Chunk[] {
  if (met.has(address)) throw raw.damaged('an index of chunks runs in a circle');
  met.add(address);
  const O = raw.sizeOfAddress;
  const head = raw.read(address, 8 + 2 * O);
  if (head.text(4) !== 'TREE' || head.u8() !== 1) throw raw.damaged('an index of chunks is not where it should be');
  const level = head.u8();
  const entries = head.uint(2);
  const keyBytes = 8 + 8 * (chunk.length + 1);
  const body = raw.read(address + 8 + 2 * O, entries * (keyBytes + O));
  const chunks: Chunk[] = [];
  for (let i = 0; i < entries; i++) {
    const size = body.uint(4);
    const mask = body.uint(4);
    const place = chunk.map((along) => body.uint(8) / along);
    body.skip(8);
    const child = raw.address(body);
    if (child === undefined) continue;
    if (level === 0) chunks.push({ place, address: child, size, mask });
    else chunks.push(...tree(raw, child, chunk, met));
  }
  return chunks;
}
