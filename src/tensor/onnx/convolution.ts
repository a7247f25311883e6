/**
 * Convolutions as ONNX: what the standard has an operator for, and for batches on our own engine, depthwise convolution
 * as products of matrices. Its Conv is several times slower than they are, and has no derivatives.
 *
 * Channels outermost, x [C, M, H W]. The kernel of a channel makes a matrix: w [C, 9] times the constant that says which tap
 * joins which pixels. Of a small picture it joins all pixels to all, [H W, H W]. Others are cut into strips of rows, each
 * read with the row above and the row below: [C, strips, rows of 2 more] times [C, rows of 2 more, rows].
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
  // Pixels that no window reaches are left out: as less padding, and beyond that as a smaller picture.
  const spare = unread(args[0].shape, shape, args[1].shape, attrs);
  const after = spare.map((n) => Math.max(0, pad - n));
  const ends = g.ints(spare.map((n, i) => args[0].shape[2 + i] - Math.max(0, n - pad)));
  const read = spare.some((n) => n > pad) ? g.op('Slice', [x, g.ints([0, 0]), ends, g.ints([2, 3])]) : x;
  const w = g.op('Conv', [read, dy], {
    ...window(args[1].shape),
    dilations: [stride, stride],
    pads: [pad, pad, ...after],
  });
  return g.op('Transpose', [w], { perm: [1, 0, 2, 3] });
}

/** Fewer pictures than this are not worth the matrices made of each kernel. */
const BATCH = 16;
/** The most pixels of a picture that are joined by one matrix. */
const SMALL = 64;

/** A batch of pictures [M, H W, C], and how it is convolved by matrices. */
interface Batch {
  readonly M: number;
  readonly C: number;
  readonly H: number;
  readonly W: number;
  /** Rows that one matrix makes: of strips two where they can be, which are read with less repetition than one. */
  readonly made: number;
  /** Rows that it reads: the whole picture, or two more. */
  readonly read: number;
}

function batchOf([M, , C]: Shape, [H, W]: readonly [number, number]): Batch {
  if (H * W <= SMALL) return { M, C, H, W, made: H, read: H };
  const made = H % 2 === 0 ? 2 : 1;
  return { M, C, H, W, made, read: made + 2 };
}

const isBatch = (g: OnnxGraph, { M }: Batch): boolean => !g.standard && M >= BATCH;

export function emitDepthwise(g: OnnxGraph, [x, w]: string[], { attrs, shape }: Tensor<'depthwise'>): string {
  const { sides, residual, reversed } = attrs;
  const batch = batchOf(shape, sides);
  const { M, C, H, W, made, read } = batch;
  const taps = g.op('Reshape', [w, g.ints([C, 9])]);
  if (isBatch(g, batch)) {
    const joins = tapMatrix(g, batch, reversed);
    const middle = residual ? [g.op('Gather', [joins, g.ints([4])], { axis: 0 })] : [];
    const matrices = g.op('Reshape', [g.op('Gemm', [taps, joins, ...middle]), g.ints([C, read * W, made * W])]);
    const y = g.op('MatMul', [strips(g, x, batch), matrices]);
    return g.op('Transpose', [g.op('Reshape', [y, g.ints([C, M, H * W])])], { perm: [1, 2, 0] });
  }
  const ordered = reversed ? g.op('Gather', [taps, g.ints([8, 7, 6, 5, 4, 3, 2, 1, 0])], { axis: 1 }) : taps;
  const middle = g.floats(Float32Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0), [9]);
  const kernel = g.op('Reshape', [residual ? g.op('Add', [ordered, middle]) : ordered, g.ints([C, 1, 3, 3])]);
  const y = g.op('Conv', [turned(g, x, batch, [0, 2, 1], [M, C, H, W]), kernel], around(C));
  return g.op('Transpose', [g.op('Reshape', [y, g.ints([M, C, H * W])])], { perm: [0, 2, 1] });
}

export function emitDepthwiseWeight(g: OnnxGraph, [x, dy]: string[], t: Tensor<'depthwiseWeight'>): string {
  const batch = batchOf(t.args[0].shape, t.attrs.sides);
  const { M, C, H, W, made, read } = batch;
  if (isBatch(g, batch)) {
    const right = turned(g, dy, batch, [2, 0, 1], [C, (M * H) / made, made * W]);
    const transposed = { transA: 1, transB: 0 };
    const product = g.op('FusedMatMul', [strips(g, x, batch), right], transposed, 'com.microsoft');
    const each = g.op('Reshape', [product, g.ints([C, read * W * made * W])]);
    const taps = g.op('Gemm', [each, tapMatrix(g, batch, false)], { transB: 1 });
    return g.op('Reshape', [taps, g.ints(t.shape)]);
  }
  // The whole batch is one picture of M C channels, of which each group of M is summed over.
  const whole = turned(g, x, batch, [2, 0, 1], [1, C * M, H, W]);
  const kernel = turned(g, dy, batch, [2, 0, 1], [C, M, H, W]);
  const taps = g.op('Conv', [whole, kernel], { ...around(C), kernel_shape: [H, W] });
  return g.op('Reshape', [taps, g.ints(t.shape)]);
}

const around = (group: number) => ({ group, kernel_shape: [3, 3], pads: [1, 1, 1, 1] });

/** Tokens [M, H W, C] with their axes in another order, in another shape. */
function turned(g: OnnxGraph, x: string, { M, C, H, W }: Batch, perm: readonly number[], shape: Shape): string {
  const moved = g.once(`${x} by ${perm} of ${[M, H * W, C]}`, () => g.op('Transpose', [x], { perm }));
  return g.op('Reshape', [moved, g.ints(shape)]);
}

/** The rows that each matrix reads, [C, M H / made, read W]. Beyond the picture is a row of zeros after all others. */
function strips(g: OnnxGraph, x: string, batch: Batch): string {
  const { M, C, H, W, made, read } = batch;
  const shape = [C, (M * H) / made, read * W];
  if (made === H) return turned(g, x, batch, [2, 0, 1], shape);
  return g.once(`${x} in strips of ${made} x ${W}`, () => {
    const rows = turned(g, x, batch, [2, 0, 1], [C, M * H, W]);
    const more = g.op('Pad', [rows, g.ints([0, 0, 0, 0, 1, 0])]);
    const from = Array.from({ length: shape[1] * read }, (_, i) => {
      const row = Math.floor(i / read) * made + (i % read) - 1;
      const picture = Math.floor(i / read / (H / made));
      return row < picture * H || row >= (picture + 1) * H ? M * H : row;
    });
    return g.op('Reshape', [g.op('Gather', [more, g.ints(from)], { axis: 1 }), g.ints(shape)]);
  });
}

/**
 * [9, entries of the matrix]: 1 where a tap of the kernel joins a pixel that is read (row) to one that is made (column).
 */
function tapMatrix(g: OnnxGraph, { H, W, made, read }: Batch, reversed: boolean): string {
  return g.once(`taps ${[made, read, W]} ${reversed}`, () => {
    const [rows, columns] = [read * W, made * W];
    const joins = new Float32Array(9 * rows * columns);
    for (let tap = 0; tap < 9; tap++) {
      const [dy, dx] = [Math.floor(tap / 3), tap % 3].map((a) => a - 1);
      const at = (reversed ? 8 - tap : tap) * rows * columns;
      for (let column = 0; column < columns; column++) {
        // A strip is read from the row above it on.
        const y = Math.floor(column / W) + dy + (made === H ? 0 : 1);
        const x = (column % W) + dx;
        if (y >= 0 && y < read && x >= 0 && x < W) joins[at + (y * W + x) * columns + column] = 1;
      }
    }
    return g.floats(joins, [9, rows * columns]);
  });
}
