/** Text in attributes and datasets: UTF-8, whatever the file calls it. */
import type { Metadata } from 'h5wasm/node';
import { NinaError } from '../../errors.ts';
import { requireHeaps } from './heaps.ts';
import { addressOf, once, type Place } from './links.ts';
import { metadataOf } from './metadata.ts';
import { requireStored } from './storage.ts';

/** HDF5's class of string types. */
const STRING = 3;

/** An attribute as a list of strings, undefined where there is none of that name or it holds no text. */
export function texts(place: Place, name: string): string[] | undefined {
  const { module } = place.file.library;
  const file = place.file.root.file_id;
  if (!attributeNames(place).includes(name)) return undefined;
  const metadata = module.get_attribute_metadata(file, place.path, name);
  if (metadata.vlen)
    once(place.file, 'heaps', place.path, () =>
      requireHeaps(place.file.raw, place.file.raw.messages(addressOf(place))),
    );
  return strings(
    place,
    metadata,
    `${place.title}'s attribute '${name}'`,
    (pointer) => module.get_attribute_data(file, place.path, name, pointer),
    (pointer) => module.reclaim_vlen_memory(file, place.path, name, pointer),
  );
}

/** An attribute's text, undefined where there is none. */
export function text(place: Place, name: string): string | undefined {
  const found = texts(place, name);
  return found?.length === 1 ? found[0] : undefined;
}

/**
 * An attribute that must be text.
 * @throws NinaError naming the attribute and those found.
 */
export function requireText(place: Place, name: string): string {
  const found = text(place, name);
  if (found !== undefined) return found;
  throw new NinaError(
    `${place.title} has no text attribute '${name}'. Attributes found: ${attributeNames(place).join(', ') || 'none'}.`,
  );
}

/** A dataset's strings. @throws NinaError for what is no dataset of strings, or not in the file. */
export function readTexts(place: Place): string[] {
  const { module } = place.file.library;
  const file = place.file.root.file_id;
  const metadata = metadataOf(place);
  requireStored(place, place.file.raw.messages(addressOf(place)), metadata);
  const found = strings(
    place,
    metadata,
    place.title,
    (pointer) => module.get_dataset_data(file, place.path, null, null, null, pointer),
    (pointer) => module.reclaim_vlen_memory(file, place.path, '', pointer),
  );
  if (!found) throw new NinaError(`${place.title} does not hold strings.`);
  return found;
}

const attributeNames = ({ file, path }: Place): string[] =>
  [...(file.library.module.get_attribute_names(file.root.file_id, path) as string[])].sort();

/**
 * @param fill writes the strings, or pointers to them, to memory at a pointer
 * @param reclaim frees what those pointers point to
 */
function strings(
  { file }: Place,
  { type, shape, size, total_size, vlen }: Metadata,
  what: string,
  fill: (pointer: bigint) => void,
  reclaim: (pointer: bigint) => void,
): string[] | undefined {
  const { module } = file.library;
  if (type !== STRING) return undefined;
  if (!shape || total_size === 0) return [];
  const pointer = module._malloc(size * total_size);
  if (pointer === 0) throw new NinaError(`${what} is larger than what can be read at once.`);
  try {
    fill(BigInt(pointer));
    const heap = module.HEAPU8;
    const found = Array.from({ length: total_size }, (_, i) => {
      const at = pointer + i * size;
      return vlen
        ? cString(heap, new DataView(heap.buffer).getUint32(at, true), heap.length)
        : cString(heap, at, at + size);
    });
    if (vlen) reclaim(BigInt(pointer));
    return found.map((bytes) => decode(bytes, what));
  } finally {
    module._free(pointer);
  }
}

/** Bytes up to a zero byte or `end`; a null pointer stands for the empty string. */
function cString(heap: Uint8Array, start: number, end: number): Uint8Array {
  if (start === 0) return new Uint8Array(0);
  const zero = heap.subarray(start, end).indexOf(0);
  return heap.slice(start, zero < 0 ? end : start + zero);
}

/** HDF5 knows ASCII and UTF-8, and writers store UTF-8 under either name. */
function decode(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new NinaError(`${what} is no text: its bytes are no UTF-8.`, { cause });
  }
}
