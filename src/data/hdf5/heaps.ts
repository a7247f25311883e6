/**
 * Global heaps, where texts of any length lie (HDF5 File Format Specification, section III.E). The library walks a heap
 * object by object and never ends where one claims to have no bytes, so each is walked here first.
 */
import type { Message, RawFile } from './raw.ts';

/** Types of header messages, sections IV.A.2.m and IV.A.2.v: an attribute; where many attributes are. */
const ATTRIBUTE = 0x0c;
const ATTRIBUTE_INFO = 0x15;
const SIGNATURE = 'GCOL';
/** Class of datatypes that point into a heap. */
const VARIABLE_LENGTH = 9;

/** @throws NinaError when a heap that an attribute among the messages points into does not end where it should. */
export function requireHeaps(raw: RawFile, messages: readonly Message[]): void {
  const seen = new Set<number>();
  for (const { type, shared, body } of messages) {
    const addresses =
      type === ATTRIBUTE && !shared
        ? heapsOf(raw, body)
        : type === ATTRIBUTE_INFO && isDense(raw, body)
          ? all(raw)
          : [];
    for (const address of addresses) {
      if (seen.has(address)) continue;
      seen.add(address);
      walk(raw, address);
    }
  }
}

/** Whether an object's attributes are not among its messages. */
function isDense(raw: RawFile, body: Message['body']): boolean {
  const info = body();
  const flags = info.skip(1).u8();
  return raw.address(info.skip(flags & 1 ? 2 : 0)) !== undefined;
}

/** Every heap of the file, found by its signature: numbers that look like one are not worth telling apart. */
function* all(raw: RawFile): Generator<number> {
  const PIECE = 2 ** 24;
  for (let from = 0; from < raw.end; from += PIECE) {
    const bytes = Buffer.from(raw.read(from, Math.min(PIECE + SIGNATURE.length, raw.end - from)).rest());
    for (let at = bytes.indexOf(SIGNATURE); at >= 0; at = bytes.indexOf(SIGNATURE, at + 1)) yield from + at;
  }
}

/** Addresses of the heaps that an attribute's elements (length, address, index) point into. */
function heapsOf(raw: RawFile, body: Message['body']): number[] {
  const head = body();
  const version = head.u8();
  const [name, datatype, dataspace] = [head.skip(1).uint(2), head.uint(2), head.uint(2)];
  // Only the first version pads its parts to multiples of 8; the third says how the name is encoded.
  const padded = (size: number) => (version === 1 ? Math.ceil(size / 8) * 8 : size);
  head.skip(version === 3 ? 1 : 0).skip(padded(name));
  if (datatype === 0 || (head.u8() & 0x0f) !== VARIABLE_LENGTH) return [];
  head.skip(padded(datatype) - 1).skip(padded(dataspace));
  const found: number[] = [];
  while (head.left >= 8 + raw.sizeOfAddress) {
    const length = head.uint(4);
    const address = raw.address(head);
    head.skip(4);
    if (length > 0 && address !== undefined) found.push(address);
  }
  return found;
}

function walk(raw: RawFile, address: number): void {
  const L = raw.sizeOfLength;
  const head = raw.read(address, 8 + L);
  if (head.text(4) !== SIGNATURE) throw raw.damaged('a heap of texts is not where it should be');
  const size = head.skip(4).uint(L);
  const objects = raw.read(address, size).skip(8 + L);
  // What is left at the end and too short for an object is free.
  while (objects.left >= 8 + L) {
    const index = objects.uint(2);
    const bytes = objects.skip(6).uint(L);
    // The free space counts its own head.
    const rest = index === 0 ? bytes - (8 + L) : Math.ceil(bytes / 8) * 8;
    if (!(rest >= 0 && rest <= objects.left)) throw raw.damaged('a heap of texts does not end where it should');
    objects.skip(rest);
  }
}
