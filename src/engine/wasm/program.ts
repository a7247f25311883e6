/**
 * A graph as one WebAssembly module: every operation a rule that answers with a view, or with steps that compute one.
 */
import { NinaError } from '../../errors.ts';
import { shareCommon } from '../../tensor/onnx/cse.ts';
import { type Attributes, is, type OpName, size, type Tensor, topological } from '../../tensor/tensor.ts';
import { chainsOf } from './chains.ts';
import { draft, type Lowering } from './lowering.ts';
import { matmul } from './matmul.ts';
import { type Buffer, plan } from './memory.ts';
import { contiguous, copy, gather, scatterAdd, zero } from './moves.ts';
import { type PointwiseOp, pointwise } from './pointwise.ts';
import { layerNorm, softmax, sum } from './rows.ts';
import { broadcast, reshaped, sliced, transposed, type View, whole } from './view.ts';

export interface GraphModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Steps of a run. */
  readonly steps: number;
  readonly inputs: readonly { readonly tensor: Tensor<'input'>; readonly buffer: Buffer; readonly ids: number }[];
  readonly outputs: Readonly<Record<string, Buffer>>;
  /** What to write before anything runs. */
  readonly fills: readonly Buffer[];
}

const PAGE = 65536;
/** What 32-bit addresses reach. */
const MOST_PAGES = 65536;

/** @throws NinaError for what it cannot do: derivatives' extra results, and memory beyond 4 GiB. */
export function graphModule(outputs: Record<string, Tensor>): GraphModule {
  const shared = shareCommon(Object.values(outputs));
  const roots = Object.values(outputs).map((t) => shared.get(t) as Tensor);
  const order = topological(roots);
  const constants = new Set<Tensor>();
  for (const t of order) if (t.op !== 'input' && t.args.every((arg) => constants.has(arg))) constants.add(t);
  const chains = chainsOf(order, roots, (t) => constants.has(t));

  const g = draft();
  const views = new Map<Tensor, View | readonly View[]>();
  const viewOf = (t: Tensor): View => views.get(t) as View;
  const inputs: Map<Tensor, { tensor: Tensor<'input'>; buffer: Buffer; ids: number }> = new Map();
  for (const t of order) {
    if (chains.inside.has(t)) continue;
    const chain = chains.members.get(t);
    const sums = chains.sums.get(t);
    if (is(t, 'input')) {
      const buffer = g.buffer(size(t.shape), false);
      for (const other of inputs.keys())
        if (is(other, 'input') && other.attrs.name === t.attrs.name)
          throw new Error(`Two different inputs are named ${t.attrs.name}. Give each its own name.`);
      inputs.set(t, { tensor: t, buffer, ids: Number.POSITIVE_INFINITY });
      views.set(t, whole(buffer, t.shape));
    } else if (is(t, 'pick')) views.set(t, picked(t, views.get(t.args[0]) as readonly View[]));
    else if (chain) views.set(t, pointwise(g, chain, viewOf));
    else if (sums) views.set(t, product(g, sums.product, sums.product.args.map(viewOf), viewOf(sums.addend)));
    else {
      if (is(t, 'embed')) limitIds(t.args[1], t.args[0].shape[0]);
      if (is(t, 'scatterAdd')) limitIds(t.args[1], t.shape[0]);
      views.set(t, (RULES[t.op as keyof typeof RULES] as Rule<OpName>)(g, t, t.args.map(viewOf)));
    }
  }
  /** Ids come from an input, by way of views at most. */
  function limitIds(ids: Tensor, rows: number): void {
    let from = ids;
    while (!is(from, 'input')) from = from.args[0];
    const known = inputs.get(from);
    if (known) known.ids = Math.min(known.ids, rows);
  }

  const results = Object.fromEntries(
    Object.keys(outputs).map((name, i) => {
      const out = g.buffer(size(roots[i].shape), false);
      copy(g, viewOf(roots[i]), whole(out, roots[i].shape));
      return [name, out];
    }),
  );
  const fed = [...inputs.values()];
  const { bytes, fills } = plan(
    g.prepare,
    g.run,
    fed.map(({ buffer }) => buffer),
    Object.values(results),
  );
  const pages = Math.ceil(bytes / PAGE);
  if (pages > MOST_PAGES)
    throw new NinaError(
      `This graph needs ${Math.ceil(bytes / 1e6)} MB of memory; a WebAssembly module has at most ${Math.floor((PAGE * MOST_PAGES) / 1e6)} MB. Run it on ONNX Runtime.`,
    );
  return { bytes: g.bytes(pages), steps: g.run.length, inputs: fed, outputs: results, fills };
}

function picked(t: Tensor<'pick'>, results: readonly View[]): View {
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
  return whole({ ...g.buffer(data.length, true), fill: (out) => out.set(data) }, t.shape);
};

function product(g: Lowering, { attrs }: Tensor<'matmul'>, [a, b]: readonly View[], addend?: View): View {
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
};

const integers = (g: Lowering, list: readonly number[]): View => {
  const fill = (out: Float32Array) => new Int32Array(out.buffer, out.byteOffset, out.length).set(list);
  return whole({ ...g.buffer(list.length, true), fill }, [list.length]);
};
