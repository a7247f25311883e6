/**
 * Arrays as indices of chunks, in HDF5's newer formats (HDF5 File Format Specification, sections VII.C and VII.D): fixed
 * ones for datasets of one size, extensible ones for those that grow along one dimension, and implicit ones.
 */
import type { Chunk } from './chunk.ts';
import type { Cursor } from './cursor.ts';
import type { RawFile } from './raw.ts';

/** A chunk by its number in the grid. */
type Entry = Omit<Chunk, 'place'> & { number: number };

/**
 * @param now chunks along each dimension
 * @param maximum the most there may be, Infinity where the dataset may grow
 * @returns undefined for an extensible array so long that it has pages
 */
export function chunkArray(
  raw: RawFile,
  address: number,
  kind: 'implicit' | 'fixed-array' | 'extensible-array',
  now: readonly number[],
  maximum: readonly number[],
): Chunk[] | undefined {
  // Implicit chunks are all allocated when the dataset is made, in the order of the grid.
  const total = now.reduce((product, size) => product * size, 1);
  const entries =
    kind === 'implicit'
      ? Array.from({ length: total }, (_, number): Entry => ({ number, address, size: undefined, mask: 0 }))
      : kind === 'fixed-array'
        ? fixedArray(raw, address)
        : extensibleArray(raw, address);
  if (!entries) return undefined;
  // Chunks are numbered row by row over the largest shape, the unlimited dimension first.
  const sizes = kind === 'implicit' ? now : maximum;
  const unlimited = sizes.indexOf(Number.POSITIVE_INFINITY);
  const order = now.map((_, d) => d);
  if (unlimited > 0) order.unshift(...order.splice(unlimited, 1));
  return entries.flatMap(({ number, ...entry }) => {
    const place = now.map(() => 0);
    let rest = number;
    for (const d of order.slice(1).reverse()) {
      place[d] = rest % sizes[d];
      rest = Math.floor(rest / sizes[d]);
    }
    place[order[0]] = rest;
    return place.every((at, d) => at < now[d]) ? [{ place, ...entry }] : [];
  });
}

/** Elements from number `first` on: an address, and where chunks are filtered their size and mask. */
function elements(raw: RawFile, cursor: Cursor, first: number, count: number, bytes: number): Entry[] {
  const sizeBytes = bytes - raw.sizeOfAddress - 4;
  return Array.from({ length: count }, (_, i): Entry[] => {
    const address = raw.address(cursor);
    const size = sizeBytes > 0 ? cursor.uint(sizeBytes) : undefined;
    const mask = sizeBytes > 0 ? cursor.uint(4) : 0;
    return address === undefined ? [] : [{ number: first + i, address, size, mask }];
  }).flat();
}

function fixedArray(raw: RawFile, address: number): Entry[] {
  const { sizeOfAddress: O, sizeOfLength: L } = raw;
  const head = raw.read(address, 8 + L + O);
  if (head.text(4) !== 'FAHD') throw raw.damaged('an index of chunks is not where it should be');
  const bytes = head.skip(2).u8();
  const onPage = 2 ** head.u8();
  const count = head.uint(L);
  const block = raw.address(head);
  if (block === undefined) return [];
  if (count <= onPage) return elements(raw, raw.read(block + 6 + O, count * bytes), 0, count, bytes);
  // Pages of elements, each with a checksum, behind a bit for each that says whether it is there.
  const pages = Math.ceil(count / onPage);
  const bits = raw.read(block + 6 + O, Math.ceil(pages / 8)).bytes(Math.ceil(pages / 8));
  const entries: Entry[] = [];
  for (let page = 0; page < pages; page++) {
    if (!(bits[page >> 3] & (0x80 >> (page & 7)))) continue;
    const here = Math.min(onPage, count - page * onPage);
    const from = block + 6 + O + bits.length + 4 + page * (onPage * bytes + 4);
    entries.push(...elements(raw, raw.read(from, here * bytes), page * onPage, here, bytes));
  }
  return entries;
}

function extensibleArray(raw: RawFile, address: number): Entry[] | undefined {
  const { sizeOfAddress: O, sizeOfLength: L } = raw;
  const head = raw.read(address, 12 + 6 * L + O);
  if (head.text(4) !== 'EAHD') throw raw.damaged('an index of chunks is not where it should be');
  const bytes = head.skip(2).u8();
  const maxBits = head.u8();
  const inIndex = head.u8();
  const smallest = head.u8();
  const smallestPointers = head.u8();
  const onPage = 2 ** head.u8();
  const used = head.skip(4 * L).uint(L);
  const index = raw.address(head.skip(L));
  if (index === undefined) return [];
  if (smallest === 0 || smallestPointers === 0) throw raw.damaged('an index of chunks has blocks of no elements');
  const offsetBytes = Math.ceil(maxBits / 8);
  const superBlocks = 1 + maxBits - Math.log2(smallest);
  const direct = 2 * Math.log2(smallestPointers);
  const body = raw.read(index + 6 + O, inIndex * bytes + (2 * (smallestPointers - 1) + superBlocks - direct) * O);
  const entries = elements(raw, body, 0, inIndex, bytes);
  let first = inIndex;
  for (let u = 0; u < superBlocks && first < used; u++) {
    const blocks = 2 ** Math.floor(u / 2);
    const inBlock = 2 ** Math.ceil(u / 2) * smallest;
    if (inBlock > onPage) return undefined;
    // The first super blocks have their pointers in the index itself.
    let pointers: Cursor | undefined = body;
    if (u >= direct) {
      const block = raw.address(body);
      pointers = block === undefined ? undefined : raw.read(block + 6 + O + offsetBytes, blocks * O);
    }
    for (let b = 0; pointers && b < blocks; b++) {
      const block = raw.address(pointers);
      if (block === undefined) continue;
      const from = raw.read(block + 6 + O + offsetBytes, inBlock * bytes);
      entries.push(...elements(raw, from, first + b * inBlock, inBlock, bytes));
    }
    first += blocks * inBlock;
  }
  return entries;
}
