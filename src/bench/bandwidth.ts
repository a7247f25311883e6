/**
 * How fast this machine reads: the limit of a decoder that must read its weights. The reader is a WebAssembly function
 * that only loads, 128 bits at a time; on the machine of the README it reads as fast as the same loop in C with AVX2.
 *
 * A small buffer is read from a cache and a large one from memory. How large a cache is cannot be asked portably, so the
 * speed is measured for a ladder of sizes, and what applies to given bytes is measured too: see `bandwidthFor`.
 */

export interface Reading {
  readonly bytes: number;
  /** 10^9 bytes per second, of the fastest pass over the buffer. */
  readonly gb_per_s: number;
}

const MIB = 2 ** 20;
/** From what any last-level cache holds to what none does. */
export const LADDER: readonly number[] = [4, 8, 16, 32, 64, 128, 256].map((mib) => mib * MIB);
/** Read per size; a small buffer again and again. */
const BYTES_PER_SIZE = 2 ** 30;
const PAGE = 2 ** 16;

/** The bandwidth of one thread, by size of the buffer, ascending. */
export function measureBandwidth(sizes: readonly number[] = LADDER): Reading[] {
  const { memory, read } = new WebAssembly.Instance(new WebAssembly.Module(readerModule())).exports as {
    memory: WebAssembly.Memory;
    read: (start: number, end: number) => number;
  };
  memory.grow(Math.ceil(Math.max(...sizes) / PAGE));
  // Written, because untouched pages are all the same page of zeros; numbered, so that the sum tells what was read.
  const numbers = new Uint32Array(memory.buffer);
  for (let i = 0; i < numbers.length; i++) numbers[i] = i >> 2;
  return sizes.map((bytes) => {
    let fastestMs = Number.POSITIVE_INFINITY;
    for (let done = 0; done < BYTES_PER_SIZE; done += bytes) {
      const start = performance.now();
      const sum = read(0, bytes);
      fastestMs = Math.min(fastestMs, performance.now() - start);
      const words = bytes / 16;
      if (sum !== (((words * (words - 1)) / 2) | 0))
        throw new Error(`Internal: not each of ${bytes} bytes was read once.`);
    }
    return { bytes, gb_per_s: bytes / fastestMs / 1e6 };
  });
}

/** What applies to so many bytes, read over and over: the smallest measured buffer that holds them, or else the largest. */
export function bandwidthFor(readings: readonly Reading[], bytes: number): Reading {
  return readings.find((r) => r.bytes >= bytes) ?? readings.at(-1)!;
}

/** The faster of two measurements of the same sizes. */
export function fastest(a: readonly Reading[], b: readonly Reading[]): Reading[] {
  return a.map((reading, i) => (b[i]!.gb_per_s > reading.gb_per_s ? b[i]! : reading));
}

/** Loads in flight: each into an accumulator of its own, so that none waits for another. */
const LANES = 8;
const STRIDE = 16 * LANES;

/**
 * The module: one memory, and read(start, end), which sums the 128-bit words of [start, end), a multiple of 128 bytes.
 * The sum is returned because what nobody uses might not be computed.
 */
function readerModule(): Uint8Array {
  const I32 = 0x7f;
  const V128 = 0x7b;
  const [START, END, FIRST] = [0, 1, 2];
  const get = (local: number) => [0x20, local];
  const set = (local: number) => [0x21, local];
  const I32X4_ADD = [0xfd, 0xae, 0x01];
  const loads = Array.from({ length: LANES }, (_, i) => [
    ...[...get(FIRST + i), ...get(START), 0xfd, 0x00, 4, 16 * i], // v128.load align=16 offset=16i
    ...[...I32X4_ADD, ...set(FIRST + i)],
  ]);
  const body = [
    [1, LANES, V128], // locals
    [0x03, 0x40], // loop
    ...loads,
    [...get(START), 0x41, 0x80 | (STRIDE & 0x7f), STRIDE >> 7, 0x6a, 0x22, START], // start += STRIDE, kept on the stack
    [...get(END), 0x49, 0x0d, 0, 0x0b], // if below end: again
    get(FIRST),
    ...Array.from({ length: LANES - 1 }, (_, i) => [...get(FIRST + 1 + i), ...I32X4_ADD]),
    [0xfd, 0x1b, 0, 0x0b], // first lane; end
  ].flat();
  const section = (id: number, ...bytes: number[]) => [id, ...varint(bytes.length), ...bytes];
  const exported = (name: string, kind: number) => [name.length, ...new TextEncoder().encode(name), kind, 0];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, 1, 0x60, 2, I32, I32, 1, I32), // one type: (i32, i32) -> i32
    ...section(3, 1, 0), // one function, of that type
    ...section(5, 1, 0, 1), // one memory of at least one page
    ...section(7, 2, ...exported('memory', 2), ...exported('read', 0)),
    ...section(10, 1, ...varint(body.length), ...body),
  ]);
}

/** LEB128 of a number below 2^14. */
function varint(value: number): number[] {
  return value < 0x80 ? [value] : [0x80 | (value & 0x7f), value >> 7];
}
