/**
 * Convolutions as products of matrices. The numbers that a window covers are a view of the padded picture, overlapping
 * its neighbours; written out, they are the rows of one product. A depthwise convolution has a kernel of its own.
 */
import { type Attributes, type Shape, size } from '../../tensor/tensor.ts';
import type { Assembler, Func, Local } from '../../tensor/wasm/assembler.ts';
import { advance, call, f32x4, i32, repeat, v128 } from '../../tensor/wasm/instructions.ts';
import type { Lowering } from './lowering.ts';
import { matmul } from './matmul.ts';
import { contiguous, copy, zero } from './moves.ts';
import { reshaped, transposed, type View, whole } from './view.ts';

/** x in the middle of zeros: `at` before it on the axes given, whose numbers are then `step` apart. */
function spread(g: Lowering, x: View, shape: Shape, axes: readonly number[], at: number, step = 1): View {
  const room = whole(g.buffer(size(shape), x.buffer.constant), shape);
  g.step(x.buffer.constant, [room.buffer], () => zero(room.buffer));
  const inside: View = {
    ...room,
    offset: axes.reduce((offset, axis) => offset + at * room.strides[axis], 0),
    shape: x.shape,
    strides: room.strides.map((s, axis) => (axes.includes(axis) ? s * step : s)),
  };
  copy(g, x, inside);
  return room;
}

/** The view's numbers in another shape, copied where they must be. */
const laid = (g: Lowering, view: View, shape: Shape): View =>
  reshaped(view, shape) ?? whole(contiguous(g, view).buffer, shape);

/** Pictures [M, I, H, W] as windows of k x k: [M, H', W', I, k, k]. */
function windows({ shape, strides, ...rest }: View, [h, v]: readonly number[], k: number, stride: number): View {
  const [m, i, row, column] = strides;
  const [M, I] = shape;
  return {
    ...rest,
    shape: [M, h, v, I, k, k],
    strides: [m, row * stride, column * stride, i, row, column],
  };
}

const padded = (g: Lowering, x: View, pad: number): View => {
  const [M, I, H, W] = x.shape;
  return spread(g, x, [M, I, H + 2 * pad, W + 2 * pad], [2, 3], pad);
};

/** x [M, I, H, W] by w [O, I, k, k] to `shape` = [M, O, H', W'] */
export function conv(g: Lowering, [x, w]: readonly View[], { stride, pad }: Attributes['conv'], shape: Shape): View {
  return correlate(g, padded(g, x, pad), w, stride, shape);
}

function correlate(g: Lowering, x: View, w: View, stride: number, [M, O, h, v]: Shape): View {
  const [, I, k] = w.shape;
  const rows = laid(g, windows(x, [h, v], k, stride), [M * h * v, I * k * k]);
  const y = matmul(g, rows, transposed(laid(g, w, [O, I * k * k]), [1, 0]));
  const [row, column] = y.strides;
  return { ...y, shape: [M, O, h, v], strides: [h * v * row, column, v * row, row] };
}

/** The pixels of dy `stride` apart, convolved with the kernel turned by half a turn. */
export function convInput(
  g: Lowering,
  [dy, w]: readonly View[],
  { stride, pad }: Attributes['conv'],
  shape: Shape,
): View {
  const [M, , H, W] = shape;
  const [O, , k] = w.shape;
  const apart = spread(g, dy, [M, O, H + k - 1, W + k - 1], [2, 3], k - 1 - pad, stride);
  const turned: View = {
    ...w,
    offset: w.offset + (k - 1) * (w.strides[2] + w.strides[3]),
    strides: w.strides.map((s, axis) => (axis < 2 ? s : -s)),
  };
  return correlate(g, apart, contiguous(g, transposed(turned, [1, 0, 2, 3])), 1, shape);
}

export function convWeight(
  g: Lowering,
  [x, dy]: readonly View[],
  { stride, pad }: Attributes['conv'],
  shape: Shape,
): View {
  const [O, I, k] = shape;
  const [M, , h, v] = dy.shape;
  const rows = laid(g, windows(padded(g, x, pad), [h, v], k, stride), [M * h * v, I * k * k]);
  const columns = laid(g, transposed(dy, [1, 0, 2, 3]), [O, M * h * v]);
  return laid(g, matmul(g, columns, rows), shape);
}

/** Tokens [M, H W, C] as pictures with a zero around: [M, H + 2, W + 2, C]. */
function bordered(g: Lowering, x: View, [H, W]: readonly [number, number]): View {
  const [M, , C] = x.shape;
  return spread(g, laid(g, x, [M, H, W, C]), [M, H + 2, W + 2, C], [1, 2], 1);
}

/** x [M, H W, C] by w [C, 1, 3, 3], channel by channel. */
export function depthwise(
  g: Lowering,
  [x, w]: readonly View[],
  { sides, residual, reversed }: Attributes['depthwise'],
  shape: Shape,
): View {
  const [M, , C] = shape;
  const [H, W] = sides;
  const around = bordered(g, x, sides);
  const taps = contiguous(g, transposed(laid(g, w, [C, 9]), [1, 0]));
  const buffer = g.buffer(size(shape), x.buffer.constant && w.buffer.constant);
  const y = whole(buffer, [M, H, W, C]);
  const kernel = g.kernel(`depthwise ${residual} ${reversed}`, (m, name) =>
    depthwiseKernel(m, name, residual, reversed),
  );
  const [m, row, pixel] = around.strides;
  const axes = [
    { turns: M, by: [m, y.strides[0]] },
    { turns: H, by: [row, y.strides[1]] },
    { turns: W, by: [pixel, C] },
  ];
  g.step(buffer.constant, [around.buffer, taps.buffer, buffer], (walk) =>
    walk(axes, [around, y], ([from, to]) =>
      call(
        kernel,
        from,
        i32.const(4 * row),
        i32.const(4 * C),
        i32.const(taps.buffer.address + 4 * taps.offset),
        to,
        i32.const(Math.ceil(C / 4)),
      ),
    ),
  );
  return whole(buffer, shape);
}

/**
 * depthwise(x, row, pixel, w, y, vectors): the channels of one pixel from the nine around it, which are `pixel` bytes apart
 * in rows `row` bytes apart. The last vector may reach into the next pixel, which is written after it.
 */
function depthwiseKernel(m: Assembler, name: string, residual: boolean, reversed: boolean): Func {
  return m.func(name, Array(6).fill('i32'), (scope) => {
    const [x, row, pixel, w, y, vectors] = scope.params as Local[] & { length: 6 };
    const [left, from, tap] = scope.locals('i32', 3) as [Local, Local, Local];
    const total = scope.local('v128');
    const order = [...Array(9).keys()];
    return repeat(left, vectors.get, [
      total.set(f32x4.const(0)),
      tap.set(reversed ? i32.add(w.get, i32.mul(pixel.get, i32.const(8))) : w.get),
      order.map((i) => [
        i % 3 === 0
          ? from.set(i32.add(x.get, i32.mul(row.get, i32.const(i / 3))))
          : from.set(i32.add(from.get, pixel.get)),
        total.set(f32x4.add(total.get, f32x4.mul(v128.load(from.get), v128.load(tap.get)))),
        residual && i === 4 ? total.set(f32x4.add(total.get, v128.load(from.get))) : [],
        tap.set((reversed ? i32.sub : i32.add)(tap.get, pixel.get)),
      ]),
      v128.store(y.get, total.get),
      [x, w, y].map((pointer) => advance(pointer, 16)),
    ]);
  });
}

/** Channel by channel, the windows of all pictures times dy. */
export function depthwiseWeight(
  g: Lowering,
  [x, dy]: readonly View[],
  [H, W]: readonly [number, number],
  shape: Shape,
): View {
  const [M, N, C] = dy.shape;
  const { strides, ...rest } = bordered(g, x, [H, W]);
  const [m, row, column, channel] = strides;
  const around: View = { ...rest, shape: [C, 3, 3, M, H, W], strides: [channel, row, column, m, row, column] };
  const columns = laid(g, transposed(dy, [2, 0, 1]), [C, M * N, 1]);
  return laid(g, matmul(g, laid(g, around, [C, 9, M * N]), columns), shape);
}
