/**
 * What one node of ONNX computes for several of the graph: a product with what is added to it (Gemm), a normalisation with
 * its affine map, GELU with its distribution function.
 */
import { is, sameShape, type Tensor } from '../tensor.ts';

export interface Fusions {
  /** Nodes that another one computes. */
  readonly absorbed: ReadonlySet<Tensor>;
  /** By the addition that ends it. */
  readonly normed: ReadonlyMap<Tensor, AffineNorm>;
}

/**
 * @param order all nodes, arguments before users
 * @param standard whether only operators of old runtimes may be used, which have no GELU
 */
export function fusions(order: readonly Tensor[], roots: readonly Tensor[], standard: boolean): Fusions {
  const uses = countUses(order, roots);
  const absorbed = new Set<Tensor>();
  const normed = new Map<Tensor, AffineNorm>();
  for (const t of order) {
    const norm = is(t, 'add') ? affineNorm(t, uses) : undefined;
    if (norm) {
      normed.set(t, norm);
      for (const inner of norm.absorbed) absorbed.add(inner);
    } else if (is(t, 'add')) markGemm(t, uses, absorbed);
    else if (is(t, 'gelu') && !standard) markGelu(t, uses, absorbed);
  }
  return { absorbed, normed };
}

function countUses(order: readonly Tensor[], roots: readonly Tensor[]): Map<Tensor, number> {
  const uses = new Map<Tensor, number>();
  const use = (t: Tensor) => uses.set(t, (uses.get(t) ?? 0) + 1);
  for (const t of order) t.args.forEach(use);
  roots.forEach(use);
  return uses;
}

/** Marks a product of two matrices that only this addition uses: Gemm adds a bias row or a whole matrix for free. */
function markGemm(t: Tensor<'add'>, uses: Map<Tensor, number>, absorbed: Set<Tensor>): void {
  for (const i of [0, 1]) {
    const product = t.args[i];
    const rest = t.args[1 - i];
    const fits = rest.shape.length <= 2 && sameShape(product.shape, t.shape);
    if (is(product, 'matmul') && product.shape.length === 2 && uses.get(product) === 1 && fits) {
      absorbed.add(product);
      return;
    }
  }
}

/** x Phi(x) where nothing else wants Phi(x), as no derivative does: scaling, erf, halving and lifting go into one node. */
function markGelu(t: Tensor<'gelu'>, uses: Map<Tensor, number>, absorbed: Set<Tensor>): void {
  const chain: Tensor[] = [];
  let phi = t.args[1];
  for (const op of ['add', 'mul', 'erf', 'mul']) {
    if (phi.op !== op || uses.get(phi) !== 1) return;
    chain.push(phi);
    phi = phi.args[0];
  }
  // A scaled x may have given its factor to the chain, which then starts elsewhere.
  if (phi === t.args[0]) for (const inner of chain) absorbed.add(inner);
}

/** A normalisation with the affine map after it. */
export interface AffineNorm {
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly eps: number;
  readonly absorbed: readonly Tensor[];
}

/** norm(x) * weight + bias with vectors of the normalised axis, where nothing else wants what is in between. */
function affineNorm(t: Tensor<'add'>, uses: Map<Tensor, number>): AffineNorm | undefined {
  const [scaled, bias] = t.args as [Tensor, Tensor];
  const [picked, weight] = scaled.args;
  const norm = picked?.args[0];
  if (!is(scaled, 'mul') || !picked || !is(picked, 'pick') || !norm || !is(norm, 'layerNorm')) return undefined;
  const width = [norm.shape.at(-1)!];
  const whole = [scaled, picked, norm].every((inner) => uses.get(inner) === 1);
  if (!whole || !sameShape(weight.shape, width) || !sameShape(bias.shape, width)) return undefined;
  return { x: norm.args[0], weight: weight, bias, eps: norm.attrs.eps, absorbed: [scaled, picked, norm] };
}
