/**
 * Keyed random numbers: randomness is an argument, never ambient.
 *
 * A key is 64 bits. Children are derived by hashing (Threefry-2x32, 20 rounds, Salmon et al. 2011), so a draw is a
 * function of where it is made - fold(key, 'demos', task, episode) - and never of what was drawn before it or of how
 * many workers share the work. Bulk draws run a fast sequential generator (sfc32) seeded by the hashed key.
 */
import { cos, log, sin } from './math.ts';
export type Key = readonly [hi: number, lo: number];

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;

/** Threefry-2x32-20: encrypts the counter (c0, c1) under the key. */
function threefry(k: Key, c0: number, c1: number): Key {
  const ks = [k[0] | 0, k[1] | 0, (0x1bd11bda ^ k[0] ^ k[1]) | 0];
  let x0 = (c0 + ks[0]) | 0;
  let x1 = (c1 + ks[1]) | 0;
  for (let round = 0; round < 20; round++) {
    const r = ROTATIONS[round % 8];
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << r) | (x1 >>> (32 - r))) ^ x0;
    if (round % 4 === 3) {
      const i = (round >> 2) + 1;
      x0 = (x0 + ks[i % 3]) | 0;
      x1 = (x1 + ks[(i + 1) % 3] + i) | 0;
    }
  }
  return [x0 >>> 0, x1 >>> 0];
}

/**
 * A root key from an integer seed in [0, 2^53).
 * @example
 * ```ts
 * import { key, normals } from 'nina-vla/random';
 *
 * const noise = normals(key(0), 70); // the same 70 numbers wherever and whenever they are drawn
 * ```
 */
export function key(seed: number): Key {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new RangeError(`A seed must be an integer in [0, 2^53); got ${seed}.`);
  return threefry([0x6e696e61, 0x766c61], Math.floor(seed / 2 ** 32), seed >>> 0);
}

/**
 * A child key for each datum in turn; integers and strings are told apart.
 * @example
 * ```ts
 * import { fold, key, rng } from 'nina-vla/random';
 *
 * const episode = fold(key(0), 'rollout', 'tabletop-object', 3);
 * const a = rng(fold(episode, 'noise')).normal();
 * const b = rng(fold(episode, 'placement')).uniform(-1, 1); // whatever was drawn for the noise
 * console.log(a, b);
 * ```
 */
export function fold(k: Key, ...data: readonly (number | string)[]): Key {
  let out = k;
  for (const d of data) {
    if (typeof d === 'number') {
      if (!Number.isSafeInteger(d)) throw new RangeError(`A key folds integers and strings; got the number ${d}.`);
      out = threefry(out, Math.floor(d / 2 ** 32) | 0, d >>> 0);
    } else {
      for (let i = 0; i < d.length; i++) out = threefry(out, 0x73747200, d.charCodeAt(i));
      out = threefry(out, 0x656e6400, d.length);
    }
  }
  return out;
}

/** A sequential generator; create one per purpose from its own key and use it locally. */
export interface Rng {
  /** 32 uniform bits, unsigned. */
  u32(): number;
  /** Uniform in [lo, hi), 53-bit resolution. Defaults to [0, 1). */
  uniform(lo?: number, hi?: number): number;
  /** Standard normal, Box-Muller. */
  normal(): number;
  /** Uniform integer in [0, n). */
  int(n: number): number;
  /** A uniformly chosen element. */
  pick<T>(items: readonly T[]): T;
}

/** The generator of a key; two of one key draw the same numbers. */
export function rng(k: Key): Rng {
  const [a0, b0] = threefry(k, 0x72616e64, 0);
  const [c0, d0] = threefry(k, 0x72616e64, 1);
  let a = a0;
  let b = b0;
  let c = c0;
  let d = d0;
  const u32 = () => {
    const t = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) u32();
  const unit = () => ((u32() >>> 5) * 67108864 + (u32() >>> 6)) / 9007199254740992;
  let spare: number | undefined;
  const normal = () => {
    if (spare !== undefined) {
      const out = spare;
      spare = undefined;
      return out;
    }
    const radius = Math.sqrt(-2 * log(1 - unit()));
    const angle = 2 * Math.PI * unit();
    spare = radius * sin(angle);
    return radius * cos(angle);
  };
  const int = (n: number) => Math.floor(unit() * n);
  return {
    u32,
    uniform: (lo = 0, hi = 1) => lo + (hi - lo) * unit(),
    normal,
    int,
    pick: (items) => items[int(items.length)]!,
  };
}

/** n standard normals. */
export function normals(k: Key, n: number): Float32Array {
  const r = rng(k);
  return Float32Array.from({ length: n }, () => r.normal());
}

/** A uniformly random permutation of 0..n-1 (Fisher-Yates). */
export function permutation(k: Key, n: number): Int32Array {
  const r = rng(k);
  const out = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = r.int(i + 1);
    const t = out[i];
    out[i] = out[j];
    out[j] = t;
  }
  return out;
}

/**
 * Inverted-dropout mask: each entry is 0 with probability p, else 1 / (1 - p).
 * Two entries per 32 random bits, so p is honoured to 2^-16.
 */
export function dropoutMask(k: Key, p: number, out: Float32Array): Float32Array {
  const r = rng(k);
  const threshold = Math.round(p * 65536);
  const keep = 1 / (1 - p);
  for (let i = 0; i < out.length; i += 2) {
    const bits = r.u32();
    out[i] = (bits & 0xffff) < threshold ? 0 : keep;
    if (i + 1 < out.length) out[i + 1] = bits >>> 16 < threshold ? 0 : keep;
  }
  return out;
}
