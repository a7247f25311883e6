/**
 * Reverse-mode differentiation: walks the graph backwards and builds the nodes of dLoss/dx from the table in vjp.ts.
 */
import { add, broadcastTo } from './ops.ts';
import { constant, is, type SeveralName, scalar, show, size, type Tensor, topological } from './tensor.ts';
import { leaves, type MapTree, mapTree } from './tree.ts';
import { outputsVjp, vjp } from './vjp.ts';

/**
 * Gradients of a scalar with respect to each of `wrt`, each of the shape of its tensor; zeros where the loss does not
 * depend on it.
 * @throws Error if the loss is not a scalar.
 * @example
 * ```ts
 * import { cpu } from 'nina-vla/engine';
 * import { grad, input, mean, mul } from 'nina-vla/tensor';
 *
 * const x = input('x', [3]);
 * const loss = mean(mul(x, x));
 * const [dx] = grad(loss, [x]);
 * using program = await cpu.compile({ loss, dx });
 * const answer = await program.run({ x: Float32Array.of(1, 2, 3) });
 * console.log(answer.dx); // 2/3, 4/3, 2
 * ```
 */
export function grad(loss: Tensor, wrt: readonly Tensor[]): Tensor[] {
  if (size(loss.shape) !== 1)
    throw new Error(`grad needs a scalar loss; got shape ${show(loss.shape)}. Take its sum or mean first.`);
  const order = topological([loss]);
  const useful = new Set<Tensor>(wrt);
  for (const t of order) if (t.args.some((a) => useful.has(a))) useful.add(t);

  const adjoints = new Map<Tensor, Tensor>();
  const partial = new Map<Tensor, (Tensor | undefined)[]>();
  const accumulate = (t: Tensor, g: Tensor | undefined) => {
    if (!g || !useful.has(t)) return;
    const before = adjoints.get(t);
    // The last first: where it is a product, it takes what came before as what is added to it.
    adjoints.set(t, before ? add(g, before) : g);
  };

  adjoints.set(loss, scalar(1));
  for (const t of [...order].reverse()) {
    if (!useful.has(t)) continue;
    const outputs = partial.get(t);
    if (outputs) {
      outputsVjp(t as Tensor<SeveralName>, outputs).forEach((g, i) => {
        accumulate(t.args[i], g);
      });
      continue;
    }
    const dy = adjoints.get(t);
    if (!dy) continue;
    if (is(t, 'pick')) {
      const parent = t.args[0];
      const list = partial.get(parent) ?? [];
      list[t.attrs.index] = dy;
      partial.set(parent, list);
      continue;
    }
    vjp(t, dy, (i) => useful.has(t.args[i])).forEach((g, i) => {
      accumulate(t.args[i], g);
    });
  }
  return wrt.map((t) =>
    broadcastTo(
      adjoints.get(t) ??
        constant(
          [0],
          t.shape.map(() => 1),
        ),
      t.shape,
    ),
  );
}

/** Gradients of a scalar with respect to every leaf of a tree, as the same tree. @throws Error if the loss is not a scalar. */
export function gradOf<S>(loss: Tensor, tree: S): MapTree<S, Tensor> {
  const wrt = leaves<Tensor>(tree as never).map(([, leaf]) => leaf);
  const gradients = grad(loss, wrt);
  let next = 0;
  return mapTree(tree, () => gradients[next++]);
}
