/**
 * Strided views: what reshape, transpose, slice, split and broadcast make of a buffer without moving a number.
 * Offsets and strides count numbers of 4 bytes; an axis that is repeated has stride 0.
 */
import { type Shape, size } from '../../tensor/tensor.ts';
import type { Buffer } from './memory.ts';

export interface View {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly shape: Shape;
  readonly strides: readonly number[];
}

/** The strides of numbers without gaps, the last axis innermost. */
export const rowMajor = (shape: Shape): number[] => shape.map((_, i) => size(shape.slice(i + 1)));

export const whole = (buffer: Buffer, shape: Shape): View => ({ buffer, offset: 0, shape, strides: rowMajor(shape) });

export function transposed({ shape, strides, ...rest }: View, perm: readonly number[]): View {
  return { ...rest, shape: perm.map((axis) => shape[axis]), strides: perm.map((axis) => strides[axis]) };
}

/** `length` elements of one axis from `start`. */
export function sliced({ offset, shape, strides, ...rest }: View, axis: number, start: number, length: number): View {
  return {
    ...rest,
    offset: offset + start * strides[axis],
    shape: shape.map((d, i) => (i === axis ? length : d)),
    strides,
  };
}

/** Repeated along axes of size 1 and new leading axes. */
export function broadcast({ shape, strides, ...rest }: View, to: Shape): View {
  const lead = to.length - shape.length;
  return { ...rest, shape: to, strides: to.map((d, i) => (d === shape[i - lead] ? strides[i - lead] : 0)) };
}

/** The same numbers in another shape, or undefined where that takes a copy. */
export function reshaped(view: View, shape: Shape): View | undefined {
  const { shapes, strides } = collapse(view.shape, [view.strides]);
  const out = shape.map(() => 0);
  let axis = shape.length - 1;
  for (let run = shapes.length - 1; run >= 0; run--) {
    // Axes of the new shape that together are this run of evenly spaced numbers.
    let [length, stride] = [1, strides[0][run]];
    while (length < shapes[run]) {
      if (shapes[run] % (length * shape[axis]) !== 0) return undefined;
      length *= shape[axis];
      out[axis] = stride;
      stride *= shape[axis--];
    }
  }
  return { ...view, shape, strides: out };
}

/**
 * Several operands of one shape walked together: axes of size 1 go, neighbours that every operand walks evenly are one.
 * @returns at least one axis
 */
export function collapse(
  shape: Shape,
  operands: readonly (readonly number[])[],
): { shapes: number[]; strides: number[][] } {
  const shapes: number[] = [];
  const strides: number[][] = operands.map(() => []);
  shape.forEach((d, i) => {
    if (d === 1) return;
    const last = shapes.length - 1;
    const even = last >= 0 && operands.every((s, k) => strides[k][last] === s[i] * d);
    if (even) shapes[last] *= d;
    else shapes.push(d);
    operands.forEach((s, k) => {
      strides[k][shapes.length - 1] = s[i];
    });
  });
  if (shapes.length === 0) {
    shapes.push(1);
    for (const s of strides) s.push(0);
  }
  return { shapes, strides };
}
