/**
 * Products with weights of 8 bits, a scale for each output. Activations become 16-bit integers with a scale for each
 * row, found when they come, so that only the rounding of weights costs accuracy. A step is two inputs: one instruction
 * multiplies eight pairs and adds neighbours into four 32-bit lanes, exactly.
 */
import type { Assembler, Func, Local } from './assembler.ts';
import { advance, f32, f32x4, i32, i32x4, narrow16, repeat, v128 } from './instructions.ts';
import { ROUND } from './math.ts';
import { type Arithmetic, PANEL, paddedInputs, panelBytes } from './product.ts';

const MOST_WEIGHT = 127;

export const int8: Arithmetic = {
  name: 'product8',
  inputs: 2,
  weightBytes: 2 * PANEL,
  // The row's scale in four lanes; the scales of the panel's outputs.
  xHeader: 16,
  wHeader: 4 * PANEL,
  load: (address, offset, half) => v128.load8x8(address, offset + 8 * half),
  accumulate: (sum, x, w) => i32x4.add(sum, i32x4.dot16(x, w)),
  start: () => i32x4.const(0),
  finish: (sum, init, x, w, half) =>
    f32x4.add(init, f32x4.mul(f32x4.mul(f32x4.fromI32(sum), v128.load(x)), v128.load(w, 16 * half))),
};

/** The largest activation as an integer, so that no sum over so many inputs leaves 32 bits. */
export const mostActivation = (inputs: number): number =>
  Math.min(2 ** 15 - 1, Math.floor((2 ** 31 - 1) / (MOST_WEIGHT * inputs)));

/** Bytes of a row of activations. */
export const quantisedRow = (inputs: number): number => int8.xHeader + 2 * paddedInputs(int8, inputs);

/** Writes W [inputs, outputs], padded counts, as panels: scales, then [step][8 outputs][2 inputs]. */
export function packInt8(out: Int8Array, inputs: number, outputs: number, at: (k: number, n: number) => number): void {
  const panel = panelBytes(int8, inputs);
  for (let n = 0; n < outputs; n++) {
    let most = 0;
    for (let k = 0; k < inputs; k++) most = Math.max(most, Math.abs(at(k, n)));
    const scale = most / MOST_WEIGHT || 1;
    const start = Math.floor(n / PANEL) * panel;
    const lane = n % PANEL;
    new Float32Array(out.buffer, out.byteOffset + start, PANEL)[lane] = scale;
    for (let k = 0; k < inputs; k++)
      out[start + int8.wHeader + (k >> 1) * int8.weightBytes + 2 * lane + (k % 2)] = Math.round(at(k, n) / scale);
  }
}

/**
 * quantise(x, xStride, q, most, numbers / 8, rows): rows of float32 to rows of `quantisedRow` bytes, the largest number
 * of a row to `most` (a float).
 */
export function quantiseKernel(m: Assembler): Func {
  return m.func('quantise', ['i32', 'i32', 'i32', 'f32', 'i32', 'i32'], (scope) => {
    const [x, xStride, q, most, eights, rows] = scope.params as Local[] & { length: 6 };
    const [row, left, from] = scope.locals('i32', 3) as [Local, Local, Local];
    const [largest, factor] = scope.locals('v128', 2) as [Local, Local];
    const peak = scope.local('f32');
    const rounded = (offset: number) =>
      i32x4.sub(f32x4.add(f32x4.mul(v128.load(from.get, offset), factor.get), f32x4.const(ROUND)), f32x4.const(ROUND));
    return repeat(row, rows.get, [
      largest.set(f32x4.const(0)),
      from.set(x.get),
      repeat(left, eights.get, [
        [0, 16].map((at) => largest.set(f32x4.max(largest.get, f32x4.abs(v128.load(from.get, at))))),
        advance(from, 32),
      ]),
      [
        [2, 3, 0, 1],
        [1, 0, 3, 2],
      ].map((order) => largest.set(f32x4.max(largest.get, v128.shuffle32(largest.get, largest.get, order)))),
      // A row of zeros stays one.
      peak.set(f32.max(f32x4.lane(largest.get, 0), f32.const(1e-30))),
      factor.set(f32x4.splat(f32.div(most.get, peak.get))),
      v128.store(q.get, f32x4.splat(f32.div(peak.get, most.get))),
      advance(q, 16),
      from.set(x.get),
      repeat(left, eights.get, [
        v128.store(q.get, narrow16(rounded(0), rounded(16))),
        advance(from, 32),
        advance(q, 16),
      ]),
      x.set(i32.add(x.get, xStride.get)),
    ]);
  });
}
