/**
 * The linear maps of a folded decoder in a module's memory, and the calls that apply them. Whether the weights are
 * float32 or 8 bits is decided here and nowhere else.
 */
import type { Assembler, Code } from '../../../../tensor/wasm/assembler.ts';
import { call, i32 } from '../../../../tensor/wasm/instructions.ts';
import { INPUT_UNIT, PANEL, packPanels, productKernel, roundUp } from '../../../../tensor/wasm/product.ts';
import type { Affine } from '../matrix.ts';
import type { Arena } from './arena.ts';

/** Rows in memory: the address of the first, and the bytes from row to row (0: one row for all). */
export interface Rows {
  readonly at: Code;
  readonly stride: number;
}

export interface LinearMap {
  /** y = x W + init for `rows` rows; init is the bias unless given. */
  apply(x: Rows, y: Rows, rows: Code, init?: Rows): Code;
}

export interface LinearMaps {
  /** `inputs`: which input lies at each place of x, -1 for padding; `outputs` likewise of y. */
  add(affine: Affine, inputs: readonly number[], outputs: readonly number[]): LinearMap;
  /** Bytes of weights so far. */
  readonly weightBytes: number;
}

/** @param widest the longest row of outputs without a bias */
export function linearMaps(m: Assembler, memory: Arena, widest: number): LinearMaps {
  const product = productKernel(m);
  const zeros = memory.reserve(4 * roundUp(widest, PANEL));
  let weightBytes = 0;
  return {
    get weightBytes() {
      return weightBytes;
    },
    add({ outputs: width, weight, bias }, inputs, outputs) {
      const [K, N] = [roundUp(inputs.length, INPUT_UNIT), roundUp(outputs.length, PANEL)];
      const rowOf = (k: number) => inputs[k] ?? -1;
      const columnOf = (n: number) => outputs[n] ?? -1;
      const w = memory.floats(K * N, (out) =>
        packPanels(out, K, N, (k, n) =>
          rowOf(k) < 0 || columnOf(n) < 0 ? 0 : weight[rowOf(k) * width + columnOf(n)]!,
        ),
      );
      const b = bias
        ? memory.floats(N, (out) => {
            for (let n = 0; n < N; n++) out[n] = columnOf(n) < 0 ? 0 : bias[columnOf(n)]!;
          })
        : zeros;
      weightBytes += 4 * (K * N + (bias ? N : 0));
      return {
        apply: (x, y, rows, init = { at: i32.const(b), stride: 0 }) =>
          call(
            product,
            x.at,
            i32.const(x.stride),
            i32.const(w),
            init.at,
            i32.const(init.stride),
            y.at,
            i32.const(y.stride),
            i32.const(K / INPUT_UNIT),
            i32.const(N / PANEL),
            rows,
          ),
      };
    },
  };
}
