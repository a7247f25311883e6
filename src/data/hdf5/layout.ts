/**
 * Where a dataset's numbers lie in the file: the data layout message of its object header (HDF5 File Format
 * Specification, section IV.A.2.i), versions 1 to 5.
 */
import type { Cursor } from './cursor.ts';
import { MESSAGE, type Message, type RawFile } from './raw.ts';

/** How the chunks of a dataset are found. */
export type ChunkIndex =
  | { kind: 'tree-1' | 'implicit' | 'fixed-array' | 'extensible-array' | 'tree-2' }
  | { kind: 'single'; filtered?: { size: number; mask: number } };

export type Layout =
  | { kind: 'compact' }
  /** Without an address nothing was ever written. */
  | { kind: 'contiguous'; address: number | undefined }
  | { kind: 'chunked'; address: number | undefined; index: ChunkIndex; chunk: number[] }
  /** Assembled from other datasets; its mapping lies in a global heap. */
  | { kind: 'virtual'; heap: number | undefined; entry: number };

const CLASSES = ['compact', 'contiguous', 'chunked', 'virtual'] as const;
const INDICES = ['tree-1', 'single', 'implicit', 'fixed-array', 'extensible-array', 'tree-2'] as const;
/** Parameters of an index that stand before its address, bytes; the header of the index repeats them. */
const PARAMETERS = { 'tree-1': 0, implicit: 0, 'fixed-array': 1, 'extensible-array': 5, 'tree-2': 6 };

/** @throws NinaError for a layout that the specification does not have. */
export function layoutOf(raw: RawFile, messages: readonly Message[]): Layout {
  const body = messages.find(({ type }) => type === MESSAGE.layout)?.body();
  if (!body) throw raw.damaged('a dataset has no layout');
  const version = body.u8();
  if (version <= 2) return oldLayout(raw, body);
  const kind = CLASSES[body.u8()];
  if (kind === 'compact') return { kind };
  if (kind === 'contiguous') return { kind, address: raw.address(body) };
  if (kind === 'virtual') return { kind, heap: raw.address(body), entry: body.uint(4) };
  if (kind !== 'chunked') throw raw.damaged('a dataset has an unknown layout');
  if (version === 3) {
    const rank = body.u8();
    const address = raw.address(body);
    return { kind, address, index: { kind: 'tree-1' }, chunk: sizes(body, rank, 4) };
  }
  const flags = body.u8();
  const rank = body.u8();
  const chunk = sizes(body, rank, body.u8());
  const name = INDICES[body.u8()];
  if (!name) throw raw.damaged('a dataset has an unknown index of chunks');
  if (name !== 'single') {
    body.skip(PARAMETERS[name]);
    return { kind, address: raw.address(body), index: { kind: name }, chunk };
  }
  const filtered = flags & 2 ? { size: body.uint(raw.sizeOfLength), mask: body.uint(4) } : undefined;
  return { kind, address: raw.address(body), index: { kind: name, filtered }, chunk };
}

function oldLayout(raw: RawFile, body: Cursor): Layout {
  const rank = body.u8();
  const kind = CLASSES[body.u8()];
  body.skip(5);
  if (kind === 'compact') return { kind };
  const address = raw.address(body);
  return kind === 'chunked'
    ? { kind, address, index: { kind: 'tree-1' }, chunk: sizes(body, rank, 4) }
    : { kind: 'contiguous', address };
}

/** The chunk's size along each dimension; the last number stored is the size of an element and is left out. */
function sizes(body: Cursor, rank: number, width: number): number[] {
  return Array.from({ length: rank }, () => body.uint(width)).slice(0, -1);
}
