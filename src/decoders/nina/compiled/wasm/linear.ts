/**
 * The linear maps of a folded decoder in a module's memory, and the calls that apply them. Whether a map's weights are
 * float32 or 8 bits is decided here and nowhere else.
 */
import type { Assembler, Code } from '../../../../tensor/wasm/assembler.ts';
import { float32, packFloat32 } from '../../../../tensor/wasm/float32.ts';
import { call, f32, i32 } from '../../../../tensor/wasm/instructions.ts';
import { int8, mostActivation, packInt8, quantisedRow, quantiseKernel } from '../../../../tensor/wasm/int8.ts';
import {
  type Arithmetic,
  PANEL,
  paddedInputs,
  panelBytes,
  productKernel,
  roundUp,
  turnsOf,
} from '../../../../tensor/wasm/product.ts';
import type { Affine } from '../matrix.ts';
import type { Arena } from './arena.ts';

export type Precision = 'float32' | 'int8';

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
  /** In float32. `inputs`: which input lies at each place of x, -1 for padding; `outputs` likewise of y. */
  add(affine: Affine, inputs: readonly number[], outputs: readonly number[]): LinearMap;
  /** In the module's precision: rows of x must then hold a multiple of 8 finite numbers. */
  addCompact(affine: Affine, inputs: readonly number[], outputs: readonly number[]): LinearMap;
  /** Bytes of weights so far. */
  readonly weightBytes: number;
}

export interface LinearMapsOptions {
  readonly precision: Precision;
  /** At most so many rows at once, and so many numbers in a row of x, or of y without a bias. */
  readonly rows: number;
  readonly widest: number;
}

export function linearMaps(m: Assembler, memory: Arena, { precision, rows, widest }: LinearMapsOptions): LinearMaps {
  const exact = productKernel(m, float32);
  const compact =
    precision === 'int8'
      ? {
          product: productKernel(m, int8),
          quantise: quantiseKernel(m),
          activations: memory.reserve(rows * quantisedRow(widest)),
        }
      : undefined;
  const zeros = memory.reserve(4 * roundUp(widest, PANEL));
  let weightBytes = 0;

  const store = (
    { outputs: width, weight, bias }: Affine,
    arithmetic: Arithmetic,
    inputs: readonly number[],
    outputs: readonly number[],
  ) => {
    const [K, N] = [paddedInputs(arithmetic, inputs.length), roundUp(outputs.length, PANEL)];
    const at = (k: number, n: number) => {
      const [i, j] = [inputs[k] ?? -1, outputs[n] ?? -1];
      return i < 0 || j < 0 ? 0 : weight[i * width + j];
    };
    const bytes = (N / PANEL) * panelBytes(arithmetic, K);
    const w =
      arithmetic === int8
        ? memory.bytes(bytes, (out) => packInt8(out, K, N, at))
        : memory.floats(bytes / 4, (out) => packFloat32(out, K, N, at));
    const biases = (out: Float32Array) => {
      outputs.forEach((j, n) => {
        if (j >= 0) out[n] = bias![j];
      });
    };
    weightBytes += bytes + (bias ? 4 * N : 0);
    return {
      K,
      // product(x, xStride, w, init, initStride, y, yStride, turns, panels, rows)
      arguments: (x: Rows, y: Rows, count: Code, init: Rows): Code[] => [
        x.at,
        i32.const(x.stride),
        i32.const(w),
        init.at,
        i32.const(init.stride),
        y.at,
        i32.const(y.stride),
        i32.const(turnsOf(arithmetic, K)),
        i32.const(N / PANEL),
        count,
      ],
      bias: { at: i32.const(bias ? memory.floats(N, biases) : zeros), stride: 0 },
    };
  };

  const add: LinearMaps['add'] = (affine, inputs, outputs) => {
    const map = store(affine, float32, inputs, outputs);
    return { apply: (x, y, count, init = map.bias) => call(exact, ...map.arguments(x, y, count, init)) };
  };
  return {
    add,
    addCompact(affine, inputs, outputs) {
      if (!compact) return add(affine, inputs, outputs);
      const { product, quantise, activations } = compact;
      const map = store(affine, int8, inputs, outputs);
      const q = { at: i32.const(activations), stride: quantisedRow(map.K) };
      const most = f32.const(mostActivation(map.K));
      return {
        apply: (x, y, count, init = map.bias) => [
          call(quantise, x.at, i32.const(x.stride), q.at, most, i32.const(map.K / 8), count),
          call(product, ...map.arguments(q, y, count, init)),
        ],
      };
    },
    get weightBytes() {
      return weightBytes;
    },
  };
}
