/**
 * Where the buffers of a program lie: each has its place from the first step that touches it to the last, and later
 * buffers take over what is free. Nothing is allocated when the program runs.
 */

/** Numbers of 4 bytes at one place in memory. */
export interface Buffer {
  readonly numbers: number;
  /** Whether it is computed once, from weights and constants alone. */
  readonly constant: boolean;
  /** Written by the host before anything runs. */
  readonly fill?: (out: Float32Array) => void;
  /** The numbers of a weight or constant: who needs them in another order need not have them in memory. */
  readonly data?: Float32Array;
  /** In bytes; known when all steps are. */
  address: number;
}

/** Steps happen in order: those that prepare what depends on weights alone, once, then those of every run. */
export interface Step {
  readonly touches: readonly Buffer[];
}

/** A cache line, so that no vector lies in two. */
const ALIGNMENT = 64;
/** Bytes behind the last number that kernels may overwrite (up to 3 numbers), or read (a panel of 8). */
const SLACK = { written: 12, read: 64 };

const roundUp = (n: number): number => Math.ceil(n / ALIGNMENT) * ALIGNMENT;

interface Span {
  readonly buffer: Buffer;
  first: number;
  last: number;
}

/**
 * Gives every buffer its address.
 * @param inputs written before each run; `outputs` are read after it.
 * @returns the bytes needed, and the buffers to fill
 */
export function plan(
  prepare: readonly Step[],
  run: readonly Step[],
  inputs: readonly Buffer[],
  outputs: readonly Buffer[],
): { bytes: number; fills: Buffer[] } {
  const spans = new Map<Buffer, Span>();
  const [start, end] = [prepare.length, prepare.length + run.length];
  const touch = (buffer: Buffer, time: number) => {
    const known = spans.get(buffer);
    if (known) known.last = Math.max(known.last, time);
    else spans.set(buffer, { buffer, first: buffer.fill ? -1 : time, last: time });
  };
  for (const [i, { touches }] of prepare.entries()) for (const b of touches) touch(b, i);
  for (const b of inputs) touch(b, start);
  for (const [i, { touches }] of run.entries()) for (const b of touches) touch(b, start + i);
  for (const b of outputs) touch(b, end);
  // What was made once must be there in every run.
  for (const span of spans.values()) if (span.first < start && span.last >= start) span.last = end;

  const free = freeList();
  const live: Span[] = [];
  for (const span of [...spans.values()].sort((a, b) => a.first - b.first)) {
    for (let i = live.length - 1; i >= 0; i--)
      if (live[i].last < span.first) {
        const { buffer } = live[i];
        free.release(buffer.address, bytesOf(buffer));
        live.splice(i, 1);
      }
    span.buffer.address = free.take(bytesOf(span.buffer));
    if (span.last < end) live.push(span);
  }
  const fills = [...spans.keys()].filter((b) => b.fill);
  return { bytes: free.end() + SLACK.read, fills };
}

const bytesOf = ({ numbers }: Buffer): number => roundUp(4 * numbers + SLACK.written);

/** Free blocks of memory, by address; the last one has no end. */
function freeList() {
  const blocks: { from: number; to: number }[] = [{ from: 0, to: Number.POSITIVE_INFINITY }];
  let end = 0;
  return {
    take(bytes: number): number {
      const i = blocks.findIndex(({ from, to }) => to - from >= bytes);
      const at = blocks[i].from;
      blocks[i].from += bytes;
      end = Math.max(end, at + bytes);
      if (blocks[i].from === blocks[i].to) blocks.splice(i, 1);
      return at;
    },
    release(from: number, bytes: number): void {
      const to = from + bytes;
      const i = blocks.findIndex((b) => b.from >= to);
      const [before, after] = [blocks[i - 1], blocks[i]];
      const joins = before?.to === from;
      if (after.from === to) {
        after.from = joins ? before.from : from;
        if (joins) blocks.splice(i - 1, 1);
      } else if (joins) before.to = to;
      else blocks.splice(i, 0, { from, to });
    },
    end: () => end,
  };
}
