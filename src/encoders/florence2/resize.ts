/**
 * Bilinear resizing with antialiasing, half-pixel centres, rounded to bytes: what torchvision's `resize` makes of a picture
 * of bytes, to the bit. That fixes more than the formula: weights and sums are float32 with fused multiply-add, columns come
 * before rows, and halves round to the even byte.
 *
 * A product of a float32 and a byte is exact in float64, and so, but for a last rounding that no sum of a few pixels can
 * reach, is a fused multiply-add: `fround(sum + weight * pixel)`.
 */

/** For each of `to` places along one side: the first of the pixels it sees, how many, and their weights. */
interface Taps {
  readonly first: Int32Array;
  /** [to, most] */
  readonly weights: Float32Array;
  readonly counts: Int32Array;
  /** Most pixels that any place sees. */
  readonly most: number;
}

const { fround } = Math;
const known = new Map<string, Taps>();

/** They follow from the two sizes alone and are computed once for each pair. */
function tapsOf(from: number, to: number): Taps {
  const key = `${from} ${to}`;
  const taps = known.get(key) ?? computeTaps(from, to);
  known.set(key, taps);
  return taps;
}

/** A triangle as wide as a pixel of the larger grid, cut at the border and scaled to the sum 1. */
function computeTaps(from: number, to: number): Taps {
  const scale = fround(from / to);
  const support = Math.max(scale, 1);
  const steepness = scale >= 1 ? fround(1 / scale) : 1;
  const most = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(to);
  const counts = new Int32Array(to);
  const weights = new Float32Array(to * most);
  for (let i = 0; i < to; i++) {
    const centre = fround(scale * (i + 0.5));
    first[i] = Math.max(Math.trunc(fround(fround(centre - support) + 0.5)), 0);
    counts[i] = Math.min(Math.trunc(fround(fround(centre + support) + 0.5)), from) - first[i];
    const own = weights.subarray(i * most, i * most + counts[i]);
    let sum = 0;
    for (let j = 0; j < own.length; j++) {
      const distance = Math.abs(fround(fround(fround(first[i] + j - centre) + 0.5) * steepness));
      own[j] = Math.max(fround(1 - distance), 0);
      sum = fround(sum + own[j]);
    }
    for (let j = 0; j < own.length; j++) own[j] /= sum;
  }
  return { first, weights, counts, most };
}

/**
 * @param pixels [height, width, 3]
 * @returns [size, size, 3]
 */
export function resize(pixels: Uint8Array, width: number, height: number, size: number): Uint8Array {
  const out = new Uint8ClampedArray(size * size * 3);
  const columns = resizeColumns(pixels, width, height, size);
  const { first, weights, counts, most } = tapsOf(height, size);
  const row = size * 3;
  const sums = new Float32Array(row);
  for (let y = 0; y < size; y++) {
    sums.fill(0);
    for (let j = 0; j < counts[y]; j++) {
      const weight = weights[y * most + j];
      const from = (first[y] + j) * row;
      for (let i = 0; i < row; i++) sums[i] = fround(sums[i] + weight * columns[from + i]);
    }
    // Arrays of this kind round halves to the even byte.
    out.set(sums, y * row);
  }
  return new Uint8Array(out.buffer);
}

/** @returns [height, size, 3] */
function resizeColumns(pixels: Uint8Array, width: number, height: number, size: number): Float32Array {
  const out = new Float32Array(height * size * 3);
  const { first, weights, counts, most } = tapsOf(width, size);
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < size; x++, to += 3) {
      let red = 0;
      let green = 0;
      let blue = 0;
      const end = x * most + counts[x];
      for (let j = x * most, at = (y * width + first[x]) * 3; j < end; j++, at += 3) {
        const weight = weights[j];
        red = fround(red + weight * pixels[at]);
        green = fround(green + weight * pixels[at + 1]);
        blue = fround(blue + weight * pixels[at + 2]);
      }
      out[to] = red;
      out[to + 1] = green;
      out[to + 2] = blue;
    }
  return out;
}
