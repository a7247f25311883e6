/**
 * Are a dataset's numbers there? Where they are not, HDF5 hands back the fill value, mostly zero: a demonstration whose
 * arm never moves. Told: datasets and chunks that were never written, virtual datasets without their sources, numbers
 * in files beside this one that are missing or short.
 *
 * Not told, because the file does not tell it: rows that were allocated but not written in a contiguous or compact
 * dataset or a chunk that is there. Chunks are not counted in growing datasets of more than about a hundred thousand
 * chunks that were written with HDF5's newest formats (extensible arrays with pages).
 */
import * as fs from 'node:fs';
import type { Metadata } from 'h5wasm/node';
import { NinaError } from '../../errors.ts';
import { chunksOf, grid } from './chunks.ts';
import type { Cursor } from './cursor.ts';
import { type Layout, layoutOf } from './layout.ts';
import { addressOf, find, kindOf, linkedFile, type Place } from './links.ts';
import { maximumOf, metadataOf } from './metadata.ts';
import { MESSAGE, type Message, type RawFile } from './raw.ts';
import { requireCovered } from './virtual.ts';

/** Virtual datasets of virtual datasets are followed this deep. */
const MAX_DEPTH = 16;

/** @throws NinaError naming the dataset and what is missing of it. */
export function requireStored(place: Place, messages: readonly Message[], metadata: Metadata, depth = 0): void {
  if (metadata.shape?.includes(0)) return;
  const external = messages.find(({ type }) => type === MESSAGE.externalFiles);
  const layout = layoutOf(place.file.raw, messages);
  if (external) requireExternal(place, external.body(), metadata);
  else if (layout.kind === 'virtual') {
    const sources = (metadata.virtual_sources ?? []).map(({ file_name, dset_name }) =>
      requireSource(place, file_name, dset_name, depth),
    );
    requireCovered(place, layout, metadata.shape ?? [], sources);
  } else if (layout.kind !== 'compact') {
    if (layout.address === undefined)
      throw new NinaError(`${place.title} was never written: the file has its shape and none of its numbers.`);
    if (layout.kind === 'chunked') requireChunks(place, layout, metadata);
  }
}

function requireChunks(place: Place, layout: Extract<Layout, { kind: 'chunked' }>, metadata: Metadata): void {
  const shape = metadata.shape ?? [];
  const chunks = chunksOf(place.file.raw, layout, shape, maximumOf(metadata));
  if (!chunks) return;
  const sizes = grid(shape, layout.chunk);
  const there = new Set(chunks.map(({ place: at }) => at.join()));
  const total = sizes.reduce((product, size) => product * size, 1);
  for (let n = 0; n < total; n++) {
    const at = placeOf(n, sizes);
    if (there.has(at.join())) continue;
    const rows = layout.chunk[0];
    throw new NinaError(
      `${place.title} is not whole: of rows ${at[0] * rows} to ${Math.min((at[0] + 1) * rows, shape[0]) - 1} something ` +
        'was never written. Record it again, or remove this demonstration.',
    );
  }
}

function placeOf(n: number, sizes: readonly number[]): number[] {
  const at: number[] = [];
  let rest = n;
  for (let d = sizes.length - 1; d >= 0; d--) {
    at.unshift(rest % sizes[d]);
    rest = Math.floor(rest / sizes[d]);
  }
  return at;
}

/** A source of a virtual dataset must be there, and be whole itself. @returns its shape */
function requireSource(place: Place, file: string, dataset: string, depth: number): number[] {
  const what = `${place.title} is a virtual dataset, assembled from ${dataset} of ${file === '.' ? 'the same file' : file}`;
  if (depth === MAX_DEPTH) throw new NinaError(`${what}, which leads on to more than ${MAX_DEPTH} others.`);
  if (/%b/.test(file) || /%b/.test(dataset))
    throw new NinaError(
      `${what}, a series of any number of sources, of which none is known to be missing. Copy it into a file of its own: h5repack -l CONTI IN OUT.`,
    );
  const name = file === '.' ? place.file.name : linkedFile(place.file.name, unescaped(file));
  if (name === undefined) throw new NinaError(`${what}, which is not there. Restore that file beside this one.`);
  const source = name === place.file.name ? place.file : place.file.open(name);
  const at = find({ file: source, path: '/', title: `${name}: ` }, unescaped(dataset));
  if (!at || kindOf(at) !== 'dataset') throw new NinaError(`${what}, which has no such dataset.`);
  const metadata = metadataOf(at);
  // Of a chain of virtual datasets the first and the last are named.
  const title = `${place.title.split(', through ')[0]}, through ${at.title},`;
  requireStored({ ...at, title }, source.raw.messages(addressOf(at)), metadata, depth + 1);
  return metadata.shape ?? [];
}

/** In names of sources '%%' stands for '%'. */
const unescaped = (name: string) => name.replaceAll('%%', '%');

/**
 * Numbers in other files (the external data files message, section IV.A.2.h): each must hold what this one says. The
 * library looks for them in the working folder.
 */
function requireExternal(place: Place, body: Cursor, { size, total_size }: Metadata): void {
  const { raw } = place.file;
  const count = body.skip(4).skip(2).uint(2);
  const heap = raw.address(body);
  if (heap === undefined) throw raw.damaged('a dataset has no names of its external files');
  let needed = size * total_size;
  for (let i = 0; i < count; i++) {
    const name = localName(raw, heap, body.uint(raw.sizeOfLength));
    const offset = body.uint(raw.sizeOfLength);
    const bytes = Math.min(body.uint(raw.sizeOfLength), needed);
    needed -= bytes;
    const there = fs.statSync(name, { throwIfNoEntry: false });
    const what = `${place.title} has its numbers in the file ${name}`;
    if (!there) throw new NinaError(`${what}, which is not there. Restore it, and start in the folder that holds it.`);
    if (!there.isFile() || there.size < offset + bytes)
      throw new NinaError(`${what}, of which ${Math.max(0, there.size - offset)} of ${bytes} bytes are there.`);
  }
  if (needed > 0) throw new NinaError(`${place.title} has its numbers in files that lack ${needed} bytes of them.`);
}

/** A name in a local heap (section III.D). */
function localName(raw: RawFile, heap: number, offset: number): string {
  const head = raw.read(heap, 8 + 2 * raw.sizeOfLength + raw.sizeOfAddress);
  if (head.text(4) !== 'HEAP') throw raw.damaged('the names of external files are not where they should be');
  const size = head.skip(4).uint(raw.sizeOfLength);
  const segment = raw.address(head.skip(raw.sizeOfLength)) ?? 0;
  return raw.read(segment, size).skip(offset).cString();
}
