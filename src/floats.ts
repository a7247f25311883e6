/**
 * Floats of other sizes, as files keep them: IEEE binary16 (F16), its cousin with the exponent of binary32 (BF16), and
 * binary64 (F64). Widening is exact; narrowing rounds to the nearest, ties to even, so what was widened narrows to the
 * same bits.
 */

/** Bytes of one number. */
export const FLOAT_BYTES = { F64: 8, F32: 4, F16: 2, BF16: 2 } as const;
export type FloatType = keyof typeof FLOAT_BYTES;

/** Reads little-endian numbers as float32. @param bytes aligned to the size of a number; as many numbers as `out` has */
export function toFloat32(type: FloatType, bytes: Uint8Array<ArrayBuffer>, out: Float32Array): void {
  const { buffer, byteOffset } = bytes;
  if (type === 'F32') out.set(new Float32Array(buffer, byteOffset, out.length));
  else if (type === 'F64') out.set(new Float64Array(buffer, byteOffset, out.length));
  else {
    const halves = new Uint16Array(buffer, byteOffset, out.length);
    const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
    const widen = type === 'BF16' ? (half: number) => half << 16 : halfToFloatBits;
    for (let i = 0; i < halves.length; i++) bits[i] = widen(halves[i]);
  }
}

/** The bits of float32 numbers narrowed to 16. */
export function narrowed(type: 'F16' | 'BF16', numbers: Float32Array, out: Uint16Array): void {
  const bits = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
  const narrow = type === 'BF16' ? floatToBrainBits : floatToHalfBits;
  for (let i = 0; i < bits.length; i++) out[i] = narrow(bits[i]);
}

/** IEEE binary16 bits to binary32 bits, exact for every value. */
function halfToFloatBits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 31) return sign | 0x7f800000 | (fraction << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  // Subnormal: fraction * 2^-24; shift the leading one up to the implicit bit.
  const shift = Math.clz32(fraction) - 21;
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}

/** Binary32 bits to the nearest binary16; beyond its range to infinity. */
function floatToHalfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const fraction = bits & 0x7fffff;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  if (exponent === 143) return sign | 0x7c00 | (fraction === 0 ? 0 : fraction >>> 13 || 0x200);
  if (exponent >= 31) return sign | 0x7c00;
  // A carry out of the fraction is the next exponent, and of the largest one infinity.
  if (exponent > 0) return sign | rounded((exponent << 23) | fraction, 13);
  // Subnormal, or too small for even that.
  return exponent < -10 ? sign : sign | rounded(fraction | 0x800000, 14 - exponent);
}

/** Binary32 bits to the nearest of those whose lower half is zero. */
function floatToBrainBits(bits: number): number {
  const quiet = (bits & 0x7fffffff) > 0x7f800000;
  return quiet ? (bits >>> 16) | (bits & 0x7f0000 ? 0 : 0x40) : ((bits >>> 31) << 15) | rounded(bits & 0x7fffffff, 16);
}

/** value / 2^drop to the nearest integer, ties to even. */
function rounded(value: number, drop: number): number {
  const kept = value >>> drop;
  const rest = value & ((1 << drop) - 1);
  const half = 1 << (drop - 1);
  return rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept;
}
