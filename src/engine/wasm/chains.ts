/**
 * What is computed together: chains of pointwise operations, and a product with what is added to it.
 */
import { is, sameShape, type Tensor } from '../../tensor/tensor.ts';
import { isPointwise } from './pointwise.ts';

export interface Chains {
  /** Nodes that others compute along. */
  readonly inside: ReadonlySet<Tensor>;
  /** For the last node of a chain of pointwise operations, all of it in order. */
  readonly members: ReadonlyMap<Tensor, readonly Tensor[]>;
  /** For an addition that a product absorbs: the product, and what is added. */
  readonly sums: ReadonlyMap<Tensor, { readonly product: Tensor<'matmul'>; readonly addend: Tensor }>;
}

/** Longer chains would be kernels that nothing else can share. */
const LONGEST = 16;

/**
 * @param order arguments before users
 * @param constant whether a node is computed once: it is no part of a chain that runs every time
 */
export function chainsOf(order: readonly Tensor[], roots: readonly Tensor[], constant: (t: Tensor) => boolean): Chains {
  const users = new Map<Tensor, Set<Tensor>>();
  for (const t of order) for (const arg of t.args) users.set(arg, (users.get(arg) ?? new Set<Tensor>()).add(t));
  const results = new Set(roots);
  const inside = new Set<Tensor>();
  const sums: Map<Tensor, { product: Tensor<'matmul'>; addend: Tensor }> = new Map();
  for (const t of order) {
    if (t.op !== 'add') continue;
    const at = t.args.findIndex((arg, i) => {
      const addend = t.args[1 - i];
      return (
        is(arg, 'matmul') &&
        users.get(arg)?.size === 1 &&
        !results.has(arg) &&
        arg !== addend &&
        constant(arg) === constant(t) &&
        sameShape(arg.shape, t.shape) &&
        addend.shape.at(-1) === t.shape.at(-1)
      );
    });
    if (at < 0) continue;
    const product = t.args[at] as Tensor<'matmul'>;
    sums.set(t, { product, addend: t.args[1 - at] });
    inside.add(product);
  }

  const last = new Map<Tensor, Tensor>();
  const members = new Map<Tensor, Tensor[]>();
  for (const t of [...order].reverse()) {
    if (!isPointwise(t) || sums.has(t)) continue;
    const ends = new Set([...(users.get(t) ?? [])].map((user) => last.get(user)));
    const [end] = ends;
    const chain = end && members.get(end);
    const joins =
      ends.size === 1 &&
      end &&
      chain &&
      chain.length < LONGEST &&
      !results.has(t) &&
      constant(t) === constant(end) &&
      sameShape(t.shape, end.shape);
    if (joins) {
      inside.add(t);
      last.set(t, end);
      chain.unshift(t);
    } else {
      last.set(t, t);
      members.set(t, [t]);
    }
  }
  return { inside, members, sums };
}
