/**
 * One rule per operation that is not pointwise: a view of its argument, or steps that compute one.
 */
import { NinaError } from '../../errors.ts';
import { type Attributes, type OpName, size, type Tensor } from '../../tensor/tensor.ts';
import { conv, convInput, convWeight, depthwise, depthwiseWeight } from './convolution.ts';
import type { Lowering } from './lowering.ts';
import { matmul } from './matmul.ts';
import { contiguous, copy, gather, scatterAdd, zero } from './moves.ts';
import type { PointwiseOp } from './pointwise.ts';
import { layerNorm, softmax, sum } from './rows.ts';
import { broadcast, reshaped, sliced, transposed, type View, whole } from './view.ts';

/** One result of a node with several. */
export function picked(t: Tensor<'pick'>, results: readonly View[]): View {
  const view = results[t.attrs.index];
  if (!view)
    throw new NinaError(
      `This graph reads result ${t.attrs.index} of ${t.args[0].op}, as derivatives do; WebAssembly runs forward graphs alone. Run it on ONNX Runtime.`,
    );
  return view;
}

type Rule<K extends OpName> = (g: Lowering, t: Tensor<K>, args: readonly View[]) => View | readonly View[];

const numbers = (g: Lowering, t: Tensor<'constant' | 'weight'>): View => {
  const { data } = t.attrs as Attributes['constant'];
  return whole({ ...g.buffer(data.length, true), data, fill: (out) => out.set(data) }, t.shape);
};

/** A product, and what is added to it. */
export function product(g: Lowering, { attrs }: Tensor<'matmul'>, [a, b]: readonly View[], addend?: View): View {
  const swapped = (view: View) => {
    const axes = [...view.shape.keys()];
    return transposed(view, [...axes.slice(0, -2), ...axes.slice(-2).reverse()]);
  };
  return matmul(g, attrs.transA ? swapped(a) : a, attrs.transB ? swapped(b) : b, addend);
}

/** An axis' pieces written one after another into one buffer. */
function joined(g: Lowering, parts: readonly View[], axis: number, t: Tensor): View {
  const buffer = g.buffer(
    size(t.shape),
    parts.every((part) => part.buffer.constant),
  );
  const all = whole(buffer, t.shape);
  let start = 0;
  for (const part of parts) {
    const length = part.shape[axis];
    copy(g, part, sliced(all, axis, start, length));
    start += length;
  }
  return all;
}

/** One axis, moved into a wider one whose rest is zero. */
function padded(g: Lowering, x: View, { axis, before }: Attributes['pad'], t: Tensor): View {
  const all = whole(g.buffer(size(t.shape), x.buffer.constant), t.shape);
  g.step(x.buffer.constant, [all.buffer], () => zero(all.buffer));
  copy(g, x, sliced(all, axis, before, x.shape[axis]));
  return all;
}

/** Operations that are not pointwise. */
const RULES: { [K in Exclude<OpName, 'input' | 'pick' | PointwiseOp>]: Rule<K> } = {
  constant: numbers,
  weight: numbers,
  sum: (g, t, [x]) => sum(g, x, t.attrs.axes, t.shape, false),
  mean: (g, t, [x]) => sum(g, x, t.attrs.axes, t.shape, true),
  matmul: product,
  softmax: (g, _, [x]) => softmax(g, x),
  layerNorm: (g, t, [x]) => [layerNorm(g, x, t.attrs.eps)],
  split: (_, { attrs: { axis, sizes } }, [x]) => {
    let start = 0;
    return sizes.map((length) => {
      start += length;
      return sliced(x, axis, start - length, length);
    });
  },
  reshape: (g, t, [x]) => reshaped(x, t.shape) ?? whole(contiguous(g, x).buffer, t.shape),
  transpose: (_, t, [x]) => transposed(x, t.attrs.perm),
  concat: (g, t, parts) => joined(g, parts, t.attrs.axis, t),
  slice: (_, { attrs: { axis, start, end } }, [x]) => sliced(x, axis, start, end - start),
  pad: (g, t, [x]) => padded(g, x, t.attrs, t),
  broadcast: (_, t, [x]) => broadcast(x, t.shape),
  gather: (g, t, [x]) => gather(g, x, t.attrs.axis, integers(g, t.attrs.indices), t.shape),
  embed: (g, t, [table, ids]) => gather(g, table, 0, ids, t.shape),
  scatterAdd: (g, t, [rows, ids]) => scatterAdd(g, rows, ids, t.shape),
  conv: (g, t, args) => conv(g, args, t.attrs, t.shape),
  convInput: (g, t, args) => convInput(g, args, t.attrs, t.shape),
  convWeight: (g, t, args) => convWeight(g, args, t.attrs, t.shape),
  depthwise: (g, t, args) => depthwise(g, args, t.attrs, t.shape),
  depthwiseWeight: (g, t, args) => depthwiseWeight(g, args, t.attrs.sides, t.shape),
};

const integers = (g: Lowering, list: readonly number[]): View => {
  const fill = (out: Float32Array) => new Int32Array(out.buffer, out.byteOffset, out.length).set(list);
  return whole({ ...g.buffer(list.length, true), fill }, [list.length]);
};

/** What computes a node from its arguments. */
export const lower = (g: Lowering, t: Tensor, args: readonly View[]): View | readonly View[] =>
  (RULES[t.op as keyof typeof RULES] as Rule<OpName>)(g, t, args);
