/**
 * Where everything lies in a module's memory: addresses are given out one after another while the code is written, and
 * the numbers are put there once the memory exists.
 */
export interface Arena {
  /** Room for n bytes, zero at first, aligned for SIMD. @returns its address */
  reserve(bytes: number): number;
  /** Room for numbers, and what writes them. */
  floats(n: number, fill: (out: Float32Array) => void): number;
  ints(numbers: readonly number[]): number;
  bytes(n: number, fill: (out: Int8Array) => void): number;
  /** Bytes given out. */
  readonly size: number;
  /** Writes all numbers. */
  fill(memory: ArrayBuffer): void;
}

/** A cache line, so that no vector lies in two. */
const ALIGNMENT = 64;

export function arena(): Arena {
  let size = 0;
  const fills: ((memory: ArrayBuffer) => void)[] = [];
  const reserve = (bytes: number) => {
    const address = size;
    size = Math.ceil((size + bytes) / ALIGNMENT) * ALIGNMENT;
    return address;
  };
  return {
    reserve,
    floats(n, fill) {
      const address = reserve(4 * n);
      fills.push((memory) => fill(new Float32Array(memory, address, n)));
      return address;
    },
    ints(numbers) {
      const address = reserve(4 * numbers.length);
      fills.push((memory) => new Int32Array(memory, address, numbers.length).set(numbers));
      return address;
    },
    bytes(n, fill) {
      const address = reserve(n);
      fills.push((memory) => fill(new Int8Array(memory, address, n)));
      return address;
    },
    get size() {
      return size;
    },
    fill(memory) {
      for (const f of fills) f(memory);
    },
  };
}
