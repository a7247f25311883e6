/**
 * How fast this machine reads: the limit of a decoder that must read its weights. The reader is a WebAssembly function
 * that only loads, 128 bits at a time; on the machine of the README it reads as fast as the same loop in C with AVX2.
 *
 * A small buffer is read from a cache and a large one from memory. How large a cache is cannot be asked portably, so the
 * speed is measured for a ladder of sizes, and what applies to given bytes is measured too: see `bandwidthFor`.
 */
import { assembler } from '../tensor/wasm/assembler.ts';
import { instantiate } from '../tensor/wasm/instantiate.ts';
import { advance, i32, i32x4, repeat, v128 } from '../tensor/wasm/instructions.ts';

export interface Reading {
  readonly bytes: number;
  /** 10^9 bytes per second, of the fastest pass over the buffer. */
  readonly gb_per_s: number;
}

const MIB = 2 ** 20;
/** From what any last-level cache holds to what none does. */
const LADDER: readonly number[] = [4, 8, 16, 32, 64, 128, 256].map((mib) => mib * MIB);
/** Read per size; a small buffer again and again. */
const BYTES_PER_SIZE = 2 ** 30;
const PAGE = 2 ** 16;

/** Where the reader leaves its sum, before the buffer. */
const BUFFER = PAGE;

/** The bandwidth of one thread, by size of the buffer, ascending. */
export async function measureBandwidth(sizes: readonly number[] = LADDER): Promise<Reading[]> {
  const { memory, read } = await instantiate<Exports>(readerModule(Math.max(...sizes)), 'The bandwidth test');
  const sum = new Int32Array(memory.buffer, 0, 1);
  // Written, because untouched pages are all the same page of zeros; numbered, so that the sum tells what was read.
  const numbers = new Uint32Array(memory.buffer, BUFFER);
  for (let i = 0; i < numbers.length; i++) numbers[i] = i >> 2;
  return sizes.map((bytes) => {
    let fastestMs = Number.POSITIVE_INFINITY;
    for (let done = 0; done < BYTES_PER_SIZE; done += bytes) {
      const start = performance.now();
      read(bytes / STRIDE);
      fastestMs = Math.min(fastestMs, performance.now() - start);
      const words = bytes / 16;
      if (sum[0] !== (((words * (words - 1)) / 2) | 0))
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
  return a.map((reading, i) => (b[i].gb_per_s > reading.gb_per_s ? b[i] : reading));
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Reads so many strides of the buffer. */
  read(strides: number): void;
}

/** Loads in flight: each into an accumulator of its own, so that none waits for another. */
const LANES = 8;
const STRIDE = 16 * LANES;

/** The sum of the 128-bit words is stored because what nobody uses might not be computed. */
function readerModule(bytes: number): Uint8Array<ArrayBuffer> {
  const m = assembler();
  m.func(
    'read',
    ['i32'],
    ({ params: [strides], local, locals }) => {
      const [at, left, sums] = [local('i32'), local('i32'), locals('v128', LANES)];
      const total = sums.map(({ get }) => get).reduce((a, b) => i32x4.add(a, b));
      return [
        at.set(i32.const(BUFFER)),
        repeat(left, strides.get, [
          sums.map((sum, lane) => sum.set(i32x4.add(sum.get, v128.load(at.get, 16 * lane)))),
          advance(at, STRIDE),
        ]),
        // The four lanes of each word are the same number.
        v128.store(i32.const(0), total),
      ];
    },
    { exported: true },
  );
  return m.bytes((BUFFER + Math.ceil(bytes / PAGE) * PAGE) / PAGE);
}
