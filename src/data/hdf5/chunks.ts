/**
 * The chunks of a dataset that are in the file, by walking its index (HDF5 File Format Specification, sections III.A.1
 * and VII). Needed because the library hands back fill values for chunks that were never written, and to decode chunks
 * whose filter the library lacks.
 */
import { treeOfVersion2 } from './chunk-tree.ts';
import type { ChunkIndex, Layout } from './layout.ts';
import type { Cursor, RawFile } from './raw.ts';

export interface Chunk {
  /** Its place in the grid of chunks, one number per dimension. */
  place: number[];
  address: number;
  /** Bytes in the file; undefined where no filter changes its size. */
  size: number | undefined;
  /** Bit i is set where filter i was skipped. */
  mask: number;
}

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
      return tree(raw, address, chunk, Number.POSITIVE_INFINITY);
    case 'single':
      return [{ place: chunk.map(() => 0), address, size: index.filtered?.size, mask: index.filtered?.mask ?? 0 }];
    case 'tree-2':
      return treeOfVersion2(raw, address, chunk.length);
    default:
      return array(raw, address, index, grid(shape, chunk), grid(maximum, chunk));
  }
}

/** Chunks along each dimension. */
export const grid = (shape: readonly number[], chunk: readonly number[]) =>
  shape.map((size, d) => Math.ceil(size / chunk[d]!));

/** A B-tree of version 1, type 1: keys (size, mask, offsets) between the addresses of children. */
function tree(raw: RawFile, address: number, chunk: readonly number[], above: number): Chunk[] {
  const O = raw.sizeOfAddress;
  const head = raw.read(address, 8 + 2 * O);
  if (head.text(4) !== 'TREE' || head.u8() !== 1) throw raw.damaged('an index of chunks is not where it should be');
  const level = head.u8();
  // Levels fall towards the leaves; otherwise the walk might never end.
  if (level >= above) throw raw.damaged('an index of chunks runs in a circle');
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
    else chunks.push(...tree(raw, child, chunk, level));
  }
  return chunks;
}

/** Implicit, fixed and extensible arrays: chunks by their number in the grid. */
function array(
  raw: RawFile,
  address: number,
  { kind }: ChunkIndex,
  now: readonly number[],
  maximum: readonly number[],
): Chunk[] | undefined {
  // Implicit chunks are all allocated when the dataset is made.
  if (kind === 'implicit') return places(now).map((place) => ({ place, address, size: undefined, mask: 0 }));
  const entries = kind === 'fixed-array' ? fixedArray(raw, address) : extensibleArray(raw, address);
  if (!entries) return undefined;
  // Chunks are numbered row by row over the largest shape, the unlimited dimension first.
  const unlimited = maximum.indexOf(Number.POSITIVE_INFINITY);
  const order = now.map((_, d) => d);
  if (unlimited > 0) order.unshift(...order.splice(unlimited, 1));
  return entries.flatMap((entry, number) => {
    if (!entry) return [];
    const place = now.map(() => 0);
    let rest = number;
    for (const d of order.slice(1).reverse()) {
      place[d] = rest % maximum[d]!;
      rest = Math.floor(rest / maximum[d]!);
    }
    place[order[0]!] = rest;
    return place.every((at, d) => at < now[d]!) ? [{ place, ...entry }] : [];
  });
}

/** Every place of a grid, row by row. */
function places(sizes: readonly number[]): number[][] {
  return sizes.reduce<number[][]>(
    (before, size) => before.flatMap((place) => Array.from({ length: size }, (_, i) => [...place, i])),
    [[]],
  );
}

type Entry = Omit<Chunk, 'place'> | undefined;

/** An element: an address, and where chunks are filtered their size and mask. */
function elements(raw: RawFile, cursor: Cursor, count: number, bytes: number): Entry[] {
  const sizeBytes = bytes - raw.sizeOfAddress - 4;
  return Array.from({ length: count }, () => {
    const address = raw.address(cursor);
    const size = sizeBytes > 0 ? cursor.uint(sizeBytes) : undefined;
    const mask = sizeBytes > 0 ? cursor.uint(4) : 0;
    return address === undefined ? undefined : { address, size, mask };
  });
}

function fixedArray(raw: RawFile, address: number): Entry[] {
  const { sizeOfAddress: O, sizeOfLength: L } = raw;
  const head = raw.read(address, 8 + L + O);
  if (head.text(4) !== 'FAHD') throw raw.damaged('an index of chunks is not where it should be');
  head.skip(2);
  const bytes = head.u8();
  const pageBits = head.u8();
  const count = head.uint(L);
  const block = raw.address(head);
  if (block === undefined) return [];
  const onPage = 2 ** pageBits;
  if (count <= onPage) return elements(raw, raw.read(block + 6 + O, count * bytes), count, bytes);
  // Pages of elements, each with a checksum, behind a bit for each that says whether it is there.
  const pages = Math.ceil(count / onPage);
  const bits = raw.read(block + 6 + O, Math.ceil(pages / 8)).bytes(Math.ceil(pages / 8));
  return Array.from({ length: pages }, (_, page): Entry[] => {
    const here = Math.min(onPage, count - page * onPage);
    if (!(bits[page >> 3]! & (0x80 >> (page & 7)))) return Array<Entry>(here).fill(undefined);
    const from = block + 6 + O + bits.length + 4 + page * (onPage * bytes + 4);
    return elements(raw, raw.read(from, here * bytes), here, bytes);
  }).flat();
}

function extensibleArray(raw: RawFile, address: number): Entry[] | undefined {
  const { sizeOfAddress: O, sizeOfLength: L } = raw;
  const head = raw.read(address, 12 + 6 * L + O);
  if (head.text(4) !== 'EAHD') throw raw.damaged('an index of chunks is not where it should be');
  head.skip(2);
  const bytes = head.u8();
  const maxBits = head.u8();
  const inIndex = head.u8();
  const smallest = head.u8();
  const smallestPointers = head.u8();
  const pageBits = head.u8();
  const used = head.skip(4 * L).uint(L);
  const index = raw.address(head.skip(L));
  if (index === undefined) return [];
  if (smallest === 0 || smallestPointers === 0) throw raw.damaged('an index of chunks has blocks of no elements');
  const offsetBytes = Math.ceil(maxBits / 8);
  const superBlocks = 1 + maxBits - Math.log2(smallest);
  const direct = 2 * Math.log2(smallestPointers);
  const blocksIn = (u: number) => 2 ** Math.floor(u / 2);
  const elementsIn = (u: number) => 2 ** Math.ceil(u / 2) * smallest;
  const body = raw.read(index + 6 + O, inIndex * bytes + (2 * (smallestPointers - 1) + superBlocks - direct) * O);
  const entries = elements(raw, body, inIndex, bytes);

  const dataBlock = (at: number | undefined, count: number) =>
    entries.push(
      ...(at === undefined
        ? Array<Entry>(count).fill(undefined)
        : elements(raw, raw.read(at + 6 + O + offsetBytes, count * bytes), count, bytes)),
    );
  for (let u = 0; u < superBlocks && entries.length < used; u++) {
    const count = elementsIn(u);
    if (count > 2 ** pageBits) return undefined;
    // The first super blocks have their pointers in the index itself.
    let pointers = body;
    if (u >= direct) {
      const block = raw.address(body);
      if (block === undefined) {
        for (let b = 0; b < blocksIn(u); b++) dataBlock(undefined, count);
        continue;
      }
      pointers = raw.read(block + 6 + O + offsetBytes, blocksIn(u) * O);
    }
    for (let b = 0; b < blocksIn(u); b++) dataBlock(raw.address(pointers), count);
  }
  return entries;
}
