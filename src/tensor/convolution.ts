/**
 * Convolutions of pictures, and what their derivatives are made of. A convolution is linear in the picture and in the
 * kernel, so both adjoints are operations of their own, and each of the three is a derivative of the others: the set is
 * closed. Cross-correlation, as everywhere in deep learning; no bias, which is an addition.
 */
import { node, type Shape, show, type Tensor } from './tensor.ts';

export interface Conv2dOptions {
  readonly stride: number;
  /** Zeros on each side. */
  readonly pad: number;
}

/**
 * x [M, I, H, W] convolved with w [O, I, k, k]: [M, O, H', W'] with H' = floor((H + 2 pad - k) / stride) + 1.
 * @throws Error naming the shapes if they do not fit together.
 */
export function conv2d(x: Tensor, w: Tensor, { stride, pad }: Conv2dOptions): Tensor {
  const [O, I, k] = w.shape;
  const square = w.shape.length === 4 && w.shape[3] === k;
  if (x.shape.length !== 4 || !square || x.shape[1] !== I)
    throw new Error(`conv2d needs x [M, I, H, W] and w [O, I, k, k]; got ${show(x.shape)} and ${show(w.shape)}.`);
  if (!(Number.isInteger(stride) && stride >= 1 && Number.isInteger(pad) && pad >= 0 && pad < k))
    throw new Error(
      `conv2d needs a whole stride of at least 1 and a pad from 0 to below k = ${k}; got stride ${stride} and pad ${pad}.`,
    );
  const [h, v] = x.shape.slice(2).map((side) => Math.floor((side + 2 * pad - k) / stride) + 1);
  if (h < 1 || v < 1)
    throw new Error(
      `conv2d with a kernel of ${k} x ${k} needs pictures of at least ${k - 2 * pad} on each side; got ${show(x.shape)}.`,
    );
  return node('conv', [x, w], { stride, pad }, [x.shape[0], O, h, v]);
}

/** The adjoint of conv2d in its picture: dy [M, O, H', W'] and w [O, I, k, k] to [M, I, H, W] = `shape`. */
export const convInput = (dy: Tensor, w: Tensor, options: Conv2dOptions, shape: Shape): Tensor =>
  node('convInput', [dy, w], options, shape);

/** The adjoint of conv2d in its kernel: x [M, I, H, W] and dy [M, O, H', W'] to [O, I, k, k] = `shape`. */
export const convWeight = (x: Tensor, dy: Tensor, options: Conv2dOptions, shape: Shape): Tensor =>
  node('convWeight', [x, dy], options, shape);

export type Sides = readonly [height: number, width: number];

/**
 * Each channel convolved with a kernel of its own, with one zero around: x [M, H W, C], rows of the picture one after
 * another, and w [C, 1, 3, 3] to [M, H W, C].
 * @param residual adds x, which is 1 more on the tap in the middle
 * @throws Error naming the shapes if they do not fit together.
 */
export function depthwise3x3(x: Tensor, w: Tensor, [H, W]: Sides, { residual = false } = {}): Tensor {
  const [C, one, a, b] = w.shape;
  const kernel = w.shape.length === 4 && one === 1 && a === 3 && b === 3;
  if (x.shape.length !== 3 || !kernel || x.shape[1] !== H * W || x.shape[2] !== C)
    throw new Error(
      `depthwise3x3 of pictures of ${H} x ${W} needs x [M, ${H * W}, C] and w [C, 1, 3, 3]; got ${show(x.shape)} and ${show(w.shape)}.`,
    );
  return node('depthwise', [x, w], { sides: [H, W], residual, reversed: false }, x.shape);
}

/** The adjoint of depthwise3x3 in its picture is itself with the kernel's taps in reverse: so for any of the two. */
export const depthwiseInput = (dy: Tensor, { args, attrs }: Tensor<'depthwise'>): Tensor =>
  node('depthwise', [dy, args[1]], { ...attrs, reversed: !attrs.reversed }, dy.shape);

/** Without the residual: x convolved with any kernel w [C, 1, 3, 3], reversed or not. */
export const depthwise = (x: Tensor, w: Tensor, sides: Sides, reversed: boolean): Tensor =>
  node('depthwise', [x, w], { sides, residual: false, reversed }, x.shape);

/** The adjoint of depthwise3x3 in its kernel: x and dy [M, H W, C] to [C, 1, 3, 3]. */
export const depthwiseWeight = (x: Tensor, dy: Tensor, sides: Sides): Tensor =>
  node('depthwiseWeight', [x, dy], { sides }, [x.shape[2], 1, 3, 3]);
