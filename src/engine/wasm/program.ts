/**
 * A graph as one WebAssembly module: node by node to steps (rules.ts, pointwise.ts), then a place for every buffer, then
 * the code.
 */
import { NinaError } from '../../errors.ts';
import { shareCommon } from '../../tensor/onnx/cse.ts';
import { is, size, type Tensor, topological } from '../../tensor/tensor.ts';
import { chainsOf } from './chains.ts';
import { draft } from './lowering.ts';
import { type Buffer, plan } from './memory.ts';
import { copy } from './moves.ts';
import { pointwise } from './pointwise.ts';
import { lower, picked, product } from './rules.ts';
import { type View, whole } from './view.ts';

export interface GraphModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of 64 KiB. */
  readonly pages: number;
  /** Steps that run once, and every time. */
  readonly prepared: number;
  readonly steps: number;
  /** What to write before each run. */
  readonly inputs: readonly GraphInput[];
  readonly outputs: Readonly<Record<string, Buffer>>;
  /** What to write before anything runs. */
  readonly fills: readonly Buffer[];
}

/** An input and where it lies; of integers, all are below `ids`. */
export interface GraphInput {
  readonly tensor: Tensor<'input'>;
  readonly buffer: Buffer;
  ids: number;
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
  const inputs = new Map<Tensor, GraphInput>();
  for (const t of order) {
    if (chains.inside.has(t)) continue;
    const chain = chains.members.get(t);
    const sums = chains.sums.get(t);
    if (is(t, 'input')) {
      const buffer = g.buffer(size(t.shape), false);
      for (const other of inputs.keys())
        if (is(other, 'input') && other.attrs.name === t.attrs.name)
          throw new Error(`Two different inputs are named ${t.attrs.name}. Give each its own name.`);
      inputs.set(t, { tensor: t, buffer, ids: 2 ** 31 });
      views.set(t, whole(buffer, t.shape));
    } else if (is(t, 'pick')) views.set(t, picked(t, views.get(t.args[0]) as readonly View[]));
    else if (chain) views.set(t, pointwise(g, chain, viewOf));
    else if (sums) views.set(t, product(g, sums.product, sums.product.args.map(viewOf), viewOf(sums.addend)));
    else {
      if (is(t, 'embed')) limitIds(t.args[1], t.args[0].shape[0]);
      if (is(t, 'scatterAdd')) limitIds(t.args[1], t.shape[0]);
      views.set(t, lower(g, t, t.args.map(viewOf)));
    }
  }
  function limitIds(ids: Tensor, rows: number): void {
    const known = inputs.get(ids) as GraphInput;
    known.ids = Math.min(known.ids, rows);
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
  return {
    bytes: g.bytes(pages),
    pages,
    prepared: g.prepare.length,
    steps: g.run.length,
    inputs: fed,
    outputs: results,
    fills,
  };
}
