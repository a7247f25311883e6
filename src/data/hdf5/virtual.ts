/**
 * Do the sources of a virtual dataset fill all of it? What no mapping covers reads as the fill value. The mappings lie
 * in a global heap (HDF5 File Format Specification, sections III.E and VIII, and the appendix on selections).
 */
import { NinaError } from '../../errors.ts';
import type { Cursor } from './cursor.ts';
import type { Layout } from './layout.ts';
import type { Place } from './links.ts';
import type { RawFile } from './raw.ts';

/** Per dimension: the first index, the distance of blocks, how many, and how long each is. */
type Hyperslab = readonly { start: number; stride: number; count: number; block: number }[];
type Selection = 'all' | 'none' | readonly Hyperslab[];

/**
 * @param sources shapes of the sources, in the order of the mappings
 * @throws NinaError naming a virtual dataset and the first row that no source fills, a source that is smaller than what
 * is taken of it, and a mapping that is not understood.
 */
export function requireCovered(
  place: Place,
  layout: Extract<Layout, { kind: 'virtual' }>,
  shape: readonly number[],
  sources: readonly (readonly number[])[],
): void {
  const { raw } = place.file;
  const covered = new Uint8Array(shape.reduce((product, size) => product * size, 1));
  const unknown = new NinaError(
    `${place.title} is a virtual dataset whose mapping is of a kind that is not read here. Copy it into a file of its own: h5repack -l CONTI IN OUT.`,
  );
  if (layout.heap === undefined) throw new NinaError(`${place.title} is a virtual dataset without sources.`);
  const body = heapObject(raw, layout.heap, layout.entry);
  const version = body.u8();
  if (version > 1) throw unknown;
  const count = body.uint(raw.sizeOfLength);
  for (let i = 0; i < count; i++) {
    skipNames(raw, body, version === 0 ? 0 : body.u8());
    const source = selection(body);
    const target = selection(body);
    if (source === undefined || target === undefined) throw unknown;
    for (const slab of typeof source === 'string' ? [] : source) requireWithin(place, slab, sources[i] ?? []);
    if (source === 'all' && typeof target !== 'string') requireAsMany(place, target, sources[i] ?? []);
    if (target === 'all') covered.fill(1);
    else if (target !== 'none') for (const slab of target) mark(slab, shape, covered);
  }
  const missing = covered.indexOf(0);
  if (missing < 0) return;
  const row = Math.floor(missing / (covered.length / shape[0]));
  throw new NinaError(`${place.title} is a virtual dataset whose sources do not fill row ${row}.`);
}

function requireWithin(place: Place, slab: Hyperslab, shape: readonly number[]): void {
  const wanted = slab.map(({ start, stride, count, block }) => start + (count - 1) * stride + block);
  if (wanted.length === shape.length && wanted.every((size, d) => size <= shape[d])) return;
  throw new NinaError(
    `${place.title} is a virtual dataset that takes [${wanted.join(', ')}] numbers of a source that has only [${shape.join(', ')}].`,
  );
}

/** Skips the names of a source: since version 1 of the list, `flags` say that one is this file or stood before. */
function skipNames(raw: RawFile, body: Cursor, flags: number): void {
  const [sharedFile, sharedDataset, sameFile] = [1, 2, 4].map((bit) => (flags & bit) !== 0);
  const skip = (shared: boolean | undefined) => (shared ? body.skip(raw.sizeOfLength) : body.cString());
  if (!sameFile) skip(sharedFile);
  skip(sharedDataset);
}

/** All of a source must be as many numbers as it is to fill. */
function requireAsMany(place: Place, target: readonly Hyperslab[], shape: readonly number[]): void {
  const product = (sizes: readonly number[]) => sizes.reduce((total, size) => total * size, 1);
  const wanted = target.reduce((sum, slab) => sum + product(slab.map(({ count, block }) => count * block)), 0);
  if (product(shape) === wanted) return;
  throw new NinaError(
    `${place.title} is a virtual dataset that takes ${wanted} numbers of a source that has [${shape.join(', ')}]. Restore the source as it was.`,
  );
}

function mark(slab: Hyperslab, shape: readonly number[], covered: Uint8Array): void {
  const visit = (d: number, index: number): void => {
    if (d === shape.length) {
      covered[index] = 1;
      return;
    }
    const { start, stride, count, block } = slab[d];
    for (let n = 0; n < count; n++)
      for (let b = 0; b < block; b++) {
        const i = start + n * stride + b;
        if (i >= shape[d]) return;
        visit(d + 1, index * shape[d] + i);
      }
  };
  visit(0, 0);
}

/** The object `entry` of the global heap at `address`. */
function heapObject(raw: RawFile, address: number, entry: number): Cursor {
  const L = raw.sizeOfLength;
  const head = raw.read(address, 8 + L);
  if (head.text(4) !== 'GCOL') throw raw.damaged('the mapping of a virtual dataset is not where it should be');
  const size = head.skip(4).uint(L);
  for (let at = 8 + L; at + 8 + L <= size; ) {
    const object = raw.read(address + at, 8 + L);
    const index = object.uint(2);
    const bytes = object.skip(6).uint(L);
    if (index === entry) return raw.read(address + at + 8 + L, bytes);
    if (index === 0) break;
    at += 8 + L + Math.ceil(bytes / 8) * 8;
  }
  throw raw.damaged('the mapping of a virtual dataset is not there');
}

/** A serialised selection; undefined for kinds and versions that are not read here (points, unlimited). */
function selection(body: Cursor): Selection | undefined {
  const type = body.uint(4);
  const version = body.uint(4);
  if (type === 3 || type === 0) {
    body.skip(8);
    return type === 3 ? 'all' : 'none';
  }
  if (type !== 2) return undefined;
  if (version === 1) {
    const rank = body.skip(8).uint(4);
    return blocks(body, rank, 4);
  }
  const flags = body.u8();
  const width = version === 2 ? 8 : body.u8();
  if (version === 2) body.skip(4);
  const rank = body.uint(4);
  if (!(flags & 1)) return blocks(body, rank, width);
  const unlimited = 256 ** width - 1;
  const slab = Array.from({ length: rank }, () => {
    const [start, stride, count, block] = [0, 0, 0, 0].map(() => body.uint(width)) as [number, number, number, number];
    return { start, stride, count, block };
  });
  const finite = ({ stride, count, block }: Hyperslab[number]) =>
    stride > 0 && block > 0 && count < unlimited && block < unlimited;
  return slab.every(finite) ? [slab] : undefined;
}

/** Irregular selections: the first and last corner of each block. */
function blocks(body: Cursor, rank: number, width: number): Hyperslab[] {
  const count = body.uint(width);
  return Array.from({ length: count }, () => {
    const first = Array.from({ length: rank }, () => body.uint(width));
    return first.map((start) => ({ start, stride: 1, count: 1, block: body.uint(width) - start + 1 }));
  });
}
