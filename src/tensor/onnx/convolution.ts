/**
 * Convolutions as ONNX: what the standard has an operator for, and for batches on our own engine, depthwise convolution
 * as products of matrices. Its Conv is several times slower than they are, and has no derivatives.
 *
 * Channels outermost, x [C, M, H W]. Small pictures: the kernel of a channel as a matrix [H W, H W], which times the
 * constant that says which tap joins which pixels is w [C, 9]. Others: along a row alone; each row with those above and
 * below it, [C, M H, 3 W], times [C, 3 W, W].
 */
import type { Attributes, Shape, Tensor } from '../tensor.ts';
import type { OnnxGraph } from './model.ts';

export function emitConv(g: OnnxGraph, ins: string[], { attrs: { stride, pad }, args }: Tensor<'conv'>): string {
  return g.op('Conv', ins, { ...window(args[1].shape), strides: [stride, stride], pads: [pad, pad, pad, pad] });
}

const window = (kernel: Shape) => ({ kernel_shape: kernel.slice(2) });

/** Pixels that no window of the convolution reaches, by side. */
const unread = (picture: Shape, kernel: Shape, result: Shape, { stride, pad }: Attributes['conv']): number[] =>
  [2, 3].map((axis) => picture[axis] + 2 * pad - kernel[axis] - stride * (result[axis] - 1));

export function emitConvInput(g: OnnxGraph, ins: string[], { attrs, args, shape }: Tensor<'convInput'>): string {
  const { stride, pad } = attrs;
  return g.op('ConvTranspose', ins, {
    ...window(args[1].shape),
    strides: [stride, stride],
    pads: [pad, pad, pad, pad],
    output_padding: unread(shape, args[1].shape, args[0].shape, attrs),
  });
}

/** Pictures and channels change places: dy, its pixels `stride` apart, is the kernel, and the batch what is summed over. */
export function emitConvWeight(g: OnnxGraph, ins: string[], { attrs, args, shape }: Tensor<'convWeight'>): string {
  const { stride, pad } = attrs;
  const [x, dy] = ins.map((name) => g.op('Transpose', [name], { perm: [1, 0, 2, 3] }));
  const wide = g.op('Conv', [x, dy], {
    ...window(args[1].shape),
    dilations: [stride, stride],
    pads: [pad, pad, pad, pad],
  });
  const spare = unread(args[0].shape, shape, args[1].shape, attrs);
  const ends = g.ints([shape[2], shape[3]]);
  const w = spare.some((n) => n > 0) ? g.op('Slice', [wide, g.ints([0, 0]), ends, g.ints([2, 3])]) : wide;
  return g.op('Transpose', [w], { perm: [1, 0, 2, 3] });
}

/** Fewer pictures than this are not worth the matrices made of each kernel. */
const BATCH = 16;
/** The most pixels of a picture that are joined by one matrix. */
const SMALL = 64;

/** A batch of pictures [M, H W, C], and how it is convolved. */
interface Batch {
  readonly M: number;
  readonly C: number;
  readonly H: number;
  readonly W: number;
  readonly small: boolean;
}

function batchOf([M, , C]: Shape, [H, W]: readonly [number, number]): Batch {
  return { M, C, H, W, small: H * W <= SMALL };
}

const isBatch = (g: OnnxGraph, { M }: Batch): boolean => !g.standard && M >= BATCH;

export function emitDepthwise(g: OnnxGraph, [x, w]: string[], { attrs, shape }: Tensor<'depthwise'>): string {
  const { sides, residual, reversed } = attrs;
  const batch = batchOf(shape, sides);
  const { M, C, H, W, small } = batch;
  const taps = g.op('Reshape', [w, g.ints([C, 9])]);
  if (isBatch(g, batch)) {
    const [rows, columns] = matrixSides(batch);
    const joins = tapMatrix(g, batch, reversed);
    const middle = residual ? [g.op('Gather', [joins, g.ints([4])], { axis: 0 })] : [];
    const matrices = g.op('Reshape', [g.op('Gemm', [taps, joins, ...middle]), g.ints([C, rows, columns])]);
    const y = g.op('MatMul', [(small ? channels : stacked)(g, x, batch), matrices]);
    return g.op('Transpose', [g.op('Reshape', [y, g.ints([C, M, H * W])])], { perm: [1, 2, 0] });
  }
  const ordered = reversed ? g.op('Gather', [taps, g.ints([8, 7, 6, 5, 4, 3, 2, 1, 0])], { axis: 1 }) : taps;
  const middle = g.floats(Float32Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0), [9]);
  const kernel = g.op('Reshape', [residual ? g.op('Add', [ordered, middle]) : ordered, g.ints([C, 1, 3, 3])]);
  const y = g.op('Conv', [pictures(g, x, batch, [0, 2, 1], [M, C, H, W]), kernel], around(C));
  return g.op('Transpose', [g.op('Reshape', [y, g.ints([M, C, H * W])])], { perm: [0, 2, 1] });
}

export function emitDepthwiseWeight(g: OnnxGraph, [x, dy]: string[], t: Tensor<'depthwiseWeight'>): string {
  const batch = batchOf(t.args[0].shape, t.attrs.sides);
  const { M, C, H, W, small } = batch;
  if (isBatch(g, batch)) {
    const [rows, columns] = matrixSides(batch);
    const left = (small ? channels : stacked)(g, x, batch);
    const right = small ? channels(g, dy, batch) : pictures(g, dy, batch, [2, 0, 1], [C, M * H, W]);
    const product = g.op('FusedMatMul', [left, right], { transA: 1, transB: 0 }, 'com.microsoft');
    const each = g.op('Reshape', [product, g.ints([C, rows * columns])]);
    const taps = g.op('Gemm', [each, tapMatrix(g, batch, false)], { transB: 1 });
    return g.op('Reshape', [taps, g.ints(t.shape)]);
  }
  // The whole batch is one picture of M C channels, of which each group of M is summed over.
  const whole = pictures(g, x, batch, [2, 0, 1], [1, C * M, H, W]);
  const kernel = pictures(g, dy, batch, [2, 0, 1], [C, M, H, W]);
  const taps = g.op('Conv', [whole, kernel], { ...around(C), kernel_shape: [H, W] });
  return g.op('Reshape', [taps, g.ints(t.shape)]);
}

const around = (group: number) => ({ group, kernel_shape: [3, 3], pads: [1, 1, 1, 1] });

/** Tokens [M, H W, C] with their axes in another order, in another shape. */
function pictures(g: OnnxGraph, x: string, { M, C, H, W }: Batch, perm: readonly number[], shape: Shape): string {
  const turned = g.once(`${x} by ${perm} of ${[M, H * W, C]}`, () => g.op('Transpose', [x], { perm }));
  return g.op('Reshape', [turned, g.ints(shape)]);
}

const channels = (g: OnnxGraph, x: string, batch: Batch): string =>
  pictures(g, x, batch, [2, 0, 1], [batch.C, batch.M, batch.H * batch.W]);

/** Each row with the one above and the one below it: [C, M H, 3 W]. Beyond the picture is a row of zeros after all others. */
function stacked(g: OnnxGraph, x: string, batch: Batch): string {
  const { M, C, H, W } = batch;
  return g.once(`${x} stacked by ${H}`, () => {
    const rows = pictures(g, x, batch, [2, 0, 1], [C, M * H, W]);
    const more = g.op('Pad', [rows, g.ints([0, 0, 0, 0, 1, 0])]);
    const near = Array.from({ length: M * H }, (_, row) =>
      [-1, 0, 1].map((by) => {
        const y = (row % H) + by;
        return y < 0 || y >= H ? M * H : row + by;
      }),
    );
    return g.op('Reshape', [g.op('Gather', [more, g.ints(near.flat())], { axis: 1 }), g.ints([C, M * H, 3 * W])]);
  });
}

/** Of the matrix that a kernel makes. */
const matrixSides = ({ H, W, small }: Batch): [number, number] => (small ? [H * W, H * W] : [3 * W, W]);

/** [9, entries of the matrix]: 1 where a tap of the kernel joins a pixel of the picture (row) to one of the result (column). */
function tapMatrix(g: OnnxGraph, batch: Batch, reversed: boolean): string {
  const { H, W, small } = batch;
  const [rows, columns] = matrixSides(batch);
  return g.once(`taps ${small ? [H, W] : W} ${reversed}`, () => {
    const joins = new Float32Array(9 * rows * columns);
    for (let tap = 0; tap < 9; tap++) {
      const [dy, dx] = [Math.floor(tap / 3), tap % 3].map((a) => a - 1);
      const at = (reversed ? 8 - tap : tap) * rows * columns;
      for (let column = 0; column < columns; column++) {
        const [y, x] = [small ? Math.floor(column / W) + dy : dy + 1, (column % W) + dx];
        if (y >= 0 && y < (small ? H : 3) && x >= 0 && x < W) joins[at + (y * W + x) * columns + column] = 1;
      }
    }
    return g.floats(joins, [9, rows * columns]);
  });
}
