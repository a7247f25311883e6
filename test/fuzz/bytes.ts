/** Mutations of bytes: what disks, networks and half-written copies do to any file. */
import type { Rng } from '../../src/random.ts';

export type Mutate = (bytes: Buffer, r: Rng) => Buffer;

/** Eight bytes that formats stumble over: not finite, negative zero, beyond 2^53, lengths huge and negative. */
const NUMBERS: readonly Buffer[] = [
  ...[Number.NaN, Number.POSITIVE_INFINITY, -0, 2 ** 53 + 2, 1e308, 5e-324].map((x) => {
    const out = Buffer.alloc(8);
    out.writeDoubleLE(x);
    return out;
  }),
  ...[0n, 1n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n].map(
    (x) => {
      const out = Buffer.alloc(8);
      out.writeBigUInt64LE(x);
      return out;
    },
  ),
  Buffer.from([0x00, 0x00, 0xc0, 0x7f, 0x00, 0x00, 0x80, 0xff]), // float32 NaN and -Infinity
];

/** A place and a length in the bytes, mostly short. */
function range(bytes: Buffer, r: Rng): [from: number, to: number] {
  const from = r.int(bytes.length + 1);
  const longest = r.int(4) === 0 ? bytes.length : 16;
  return [from, Math.min(bytes.length, from + 1 + r.int(longest))];
}

const overwrite = (bytes: Buffer, at: number, by: Uint8Array): Buffer => {
  const out = Buffer.from(bytes);
  out.set(by.subarray(0, Math.max(0, out.length - at)), Math.min(at, out.length));
  return out;
};

const flip: Mutate = (bytes, r) => {
  if (bytes.length === 0) return bytes;
  const out = Buffer.from(bytes);
  for (let n = 1 + r.int(4); n > 0; n--) {
    const at = r.int(out.length);
    out[at] = out[at] ^ (1 << r.int(8));
  }
  return out;
};
const set: Mutate = (bytes, r) =>
  overwrite(bytes, r.int(bytes.length + 1), Buffer.from([r.pick([0, 1, 0x7f, 0x80, 0xff, r.int(256)])]));
const number: Mutate = (bytes, r) => {
  const some = r.pick(NUMBERS);
  return overwrite(bytes, r.int(bytes.length + 1), some.subarray(0, r.pick([2, 4, 8])));
};
const fill: Mutate = (bytes, r) => {
  const [from, to] = range(bytes, r);
  return Buffer.from(bytes).fill(r.pick([0, 0xff]), from, to);
};
const truncate: Mutate = (bytes, r) => bytes.subarray(0, r.int(bytes.length + 1));
const remove: Mutate = (bytes, r) => {
  const [from, to] = range(bytes, r);
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
};
const insert: Mutate = (bytes, r) => {
  const at = r.int(bytes.length + 1);
  const some = Buffer.from(Array.from({ length: 1 + r.int(16) }, () => r.int(256)));
  return Buffer.concat([bytes.subarray(0, at), some, bytes.subarray(at)]);
};
const splice: Mutate = (bytes, r) => {
  const [from, to] = range(bytes, r);
  const at = r.int(bytes.length + 1);
  return r.int(2) === 0
    ? overwrite(bytes, at, bytes.subarray(from, to))
    : Buffer.concat([bytes.subarray(0, at), bytes.subarray(from, to), bytes.subarray(at)]);
};

/** Those that keep the length are the likelier ones: a file of another length is found out early. */
const ALL = [flip, flip, flip, set, set, number, number, number, fill, splice, truncate, remove, insert] as const;

export const anyBytes: Mutate = (bytes, r) => r.pick(ALL)(bytes, r);

/** Keeps the length and stays within [from, to). */
export const within =
  (from: number, to: number): Mutate =>
  (bytes, r) => {
    const part = r.pick([flip, set, number, fill])(bytes.subarray(from, to), r);
    return overwrite(bytes, from, part);
  };
