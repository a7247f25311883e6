/**
 * Products in float32: a step is one input, four lanes of it times four weights.
 */
import { f32x4, v128 } from './instructions.ts';
import { type Arithmetic, PANEL } from './product.ts';

export const float32: Arithmetic = {
  name: 'product',
  inputs: 1,
  weightBytes: 4 * PANEL,
  xHeader: 0,
  wHeader: 0,
  load: (address, offset, half) => v128.load(address, offset + 16 * half),
  accumulate: (sum, x, w) => f32x4.add(sum, f32x4.mul(x, w)),
  start: (init) => init,
  finish: (sum) => sum,
};

/** Writes W [inputs, outputs], padded counts, as panels. */
export function packFloat32(
  out: Float32Array,
  inputs: number,
  outputs: number,
  at: (k: number, n: number) => number,
): void {
  let to = 0;
  for (let n = 0; n < outputs; n += PANEL)
    for (let k = 0; k < inputs; k++) for (let j = 0; j < PANEL; j++) out[to++] = at(k, n + j);
}
