/**
 * Steps on rows: sums, softmax, layer normalisation. A row is the last axis, or for a sum the axes that it is over.
 */
import { type Shape, size } from '../../tensor/tensor.ts';
import { call, f32, i32 } from '../../tensor/wasm/instructions.ts';
import type { Lowering } from './lowering.ts';
import { contiguous } from './moves.ts';
import { normKernel, type RowKernel, softmaxKernel, sumKernel } from './row-kernels.ts';
import { collapse, rowMajor, transposed, type View, whole } from './view.ts';

/**
 * A kernel(x, xRow, y, rows, n, parameter) for all rows of x.
 * @param kept the axes that are not part of a row; what the kernel writes has no gaps, `width` numbers for a row
 */
function onRows(
  g: Lowering,
  [name, write]: readonly [string, RowKernel],
  x: View,
  kept: number,
  { shape, width, parameter = 0 }: { shape: Shape; width: number; parameter?: number },
): View {
  const n = size(x.shape.slice(kept));
  const row = collapse(x.shape.slice(kept), [x.strides.slice(kept)]);
  const even = row.shapes.length === 1 && (n === 1 || row.strides[0][0] === 1);
  const from = even ? x : contiguous(g, x);
  const buffer = g.buffer(size(shape), x.buffer.constant);
  const y = whole(buffer, shape);
  const lead = x.shape.slice(0, kept);
  const { shapes, strides } = collapse(lead, [from.strides.slice(0, kept), rowMajor(lead).map((s) => width * s)]);
  const inner = shapes.length - 1;
  const outer = shapes.slice(0, -1).map((turns, i) => ({ turns, by: [strides[0][i], strides[1][i]] }));
  const kernel = g.kernel(name, write);
  g.step(buffer.constant, [from.buffer, buffer], (walk) =>
    walk(outer, [from, y], ([a, b]) =>
      call(
        kernel,
        a,
        i32.const(4 * strides[0][inner]),
        b,
        i32.const(shapes[inner]),
        i32.const(n),
        f32.const(parameter),
      ),
    ),
  );
  return y;
}

/** Sums over axes, which stay with size 1; times 1 / n for a mean. */
export function sum(g: Lowering, x: View, axes: readonly number[], shape: Shape, mean: boolean): View {
  const kept = [...x.shape.keys()].filter((axis) => !axes.includes(axis));
  const n = axes.reduce((product, axis) => product * x.shape[axis], 1);
  const rows = transposed(x, [...kept, ...axes]);
  return onRows(g, ['sum', sumKernel], rows, kept.length, { shape, width: 1, parameter: mean ? 1 / n : 1 });
}

export const softmax = (g: Lowering, x: View): View =>
  onRows(g, ['softmax', softmaxKernel], x, x.shape.length - 1, { shape: x.shape, width: x.shape.at(-1) ?? 1 });

/** (x - mean) / sqrt(variance + eps) */
export const layerNorm = (g: Lowering, x: View, eps: number): View =>
  onRows(g, ['norm', normKernel], x, x.shape.length - 1, {
    shape: x.shape,
    width: x.shape.at(-1) ?? 1,
    parameter: eps,
  });
