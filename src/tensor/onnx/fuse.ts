/**
 * What one node of ONNX computes for several of the graph: a product with factors, what is added to it and its reshape
 * (Gemm); a normalisation with its affine map; GELU with its distribution function.
 */
import { is, type Shape, sameShape, scalarValue, type Tensor } from '../tensor.ts';

export type Fused = Product | AffineNorm | WholeGelu;

/** alpha a b + beta c, in another shape. */
export interface Product {
  readonly kind: 'product';
  readonly of: Tensor<'matmul'>;
  /** The operands without their factors; they may have other shapes. */
  readonly operands: readonly Tensor[];
  readonly alpha: number;
  readonly addend?: Tensor;
  readonly beta: number;
  readonly shape: Shape;
}

/** A normalisation with the affine map after it. */
export interface AffineNorm {
  readonly kind: 'norm';
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly eps: number;
}

export interface WholeGelu {
  readonly kind: 'gelu';
  readonly x: Tensor;
}

export interface Fusions {
  /** What is left to compute, arguments before users. */
  readonly order: readonly Tensor[];
  /** By the last node that each stands for. */
  readonly fused: ReadonlyMap<Tensor, Fused>;
}

/**
 * @param all nodes, arguments before users
 * @param standard whether only operators of old runtimes may be used, which have no GELU and no factors in batched products
 */
export function fusions(all: readonly Tensor[], roots: readonly Tensor[], standard: boolean): Fusions {
  const uses = countUses(all, roots);
  const fused = new Map<Tensor, Fused>();
  const alone = (t: Tensor) => uses.get(t) === 1;
  for (const t of all) {
    const gelu = is(t, 'mul') && !standard ? wholeGelu(t, uses) : undefined;
    const found = gelu ?? (is(t, 'add') ? affineNorm(t, alone) : undefined) ?? productOf(t, fused, alone, standard);
    if (found) fused.set(t, found);
  }
  const wanted = new Set<Tensor>(roots);
  for (const t of [...all].reverse())
    if (wanted.has(t)) for (const arg of inputsOf(fused.get(t)) ?? t.args) wanted.add(arg);
  return { order: all.filter((t) => wanted.has(t)), fused };
}

/** What a fused node reads. */
export function inputsOf(f: Fused | undefined): readonly Tensor[] | undefined {
  if (f?.kind === 'product') return f.addend ? [...f.operands, f.addend] : f.operands;
  if (f?.kind === 'norm') return [f.x, f.weight, f.bias];
  return f && [f.x];
}

function countUses(order: readonly Tensor[], roots: readonly Tensor[]): Map<Tensor, number> {
  const uses = new Map<Tensor, number>();
  const use = (t: Tensor) => uses.set(t, (uses.get(t) ?? 0) + 1);
  for (const t of order) t.args.forEach(use);
  roots.forEach(use);
  return uses;
}

/** A product, or what is done to one that nothing else wants. */
function productOf(
  t: Tensor,
  fused: ReadonlyMap<Tensor, Fused>,
  alone: (t: Tensor) => boolean,
  standard: boolean,
): Product | undefined {
  if (is(t, 'matmul')) return factored(t, fused, standard);
  const known = (inner: Tensor): Product | undefined => {
    const f = fused.get(inner);
    return f?.kind === 'product' && alone(inner) ? f : undefined;
  };
  if (is(t, 'reshape')) {
    const product = known(t.args[0]);
    return product && { ...product, shape: t.shape };
  }
  if (is(t, 'mul')) {
    const scaled = scaling(t);
    const product = scaled && known(scaled.x);
    if (!product || !takesFactor(product.of, standard)) return undefined;
    return { ...product, alpha: product.alpha * scaled.by, beta: product.beta * scaled.by };
  }
  if (!is(t, 'add')) return undefined;
  for (const i of [0, 1]) {
    const product = known(t.args[i]);
    const addend = t.args[1 - i];
    // Gemm adds a row or a whole matrix for free.
    if (!product || product.addend || product.of.shape.length > 2 || addend.shape.length > 2) continue;
    if (sameShape(product.shape, t.shape) && sameShape(product.of.shape, t.shape))
      return { ...product, addend, beta: 1 };
  }
  return undefined;
}

const takesFactor = (product: Tensor<'matmul'>, standard: boolean): boolean => product.shape.length === 2 || !standard;

/** A product whose operands' factors are its own. */
function factored(t: Tensor<'matmul'>, fused: ReadonlyMap<Tensor, Fused>, standard: boolean): Product {
  let alpha = 1;
  const operands = t.args.map((arg) => {
    if (!takesFactor(t, standard)) return arg;
    let inner = arg;
    for (;;) {
      if (is(inner, 'reshape')) inner = inner.args[0];
      const scaled = is(inner, 'mul') && !fused.has(inner) ? scaling(inner) : undefined;
      if (!scaled) return alpha === 1 ? arg : inner;
      alpha *= scaled.by;
      inner = scaled.x;
    }
  });
  return { kind: 'product', of: t, operands, alpha, beta: 0, shape: t.shape };
}

/** What a number multiplies, and the number. */
function scaling(t: Tensor<'mul'>): { x: Tensor; by: number } | undefined {
  for (const i of [0, 1]) {
    const [x, by] = [t.args[1 - i], scalarValue(t.args[i])];
    if (by !== undefined && sameShape(x.shape, t.shape)) return { x, by };
  }
  return undefined;
}

/** GELU where nothing else wants its parts, as no derivative does: see `gelu` in ops.ts. */
function wholeGelu(t: Tensor<'mul'>, uses: ReadonlyMap<Tensor, number>): WholeGelu | undefined {
  const halved = scaling(t);
  const gelu = halved?.x;
  if (!halved || !gelu || !is(gelu, 'gelu') || halved.by !== Math.fround(Math.SQRT1_2)) return undefined;
  const [s, lifted] = gelu.args as [Tensor, Tensor];
  const erf = lifted.args[0];
  const scaled = is(s, 'mul') ? scaling(s) : undefined;
  const whole = [gelu, lifted, erf].every((inner) => uses.get(inner) === 1) && uses.get(s) === 2;
  return whole && scaled?.by === halved.by ? { kind: 'gelu', x: scaled.x } : undefined;
}

/** norm(x) * weight + bias with vectors of the normalised axis, where nothing else wants what is in between. */
function affineNorm(t: Tensor<'add'>, alone: (t: Tensor) => boolean): AffineNorm | undefined {
  const [scaled, bias] = t.args as [Tensor, Tensor];
  const [picked, weight] = scaled.args;
  const norm = picked?.args[0];
  if (!is(scaled, 'mul') || !picked || !is(picked, 'pick') || !norm || !is(norm, 'layerNorm')) return undefined;
  const width = [norm.shape.at(-1)!];
  if (![scaled, picked, norm].every(alone) || !sameShape(weight.shape, width) || !sameShape(bias.shape, width))
    return undefined;
  return { kind: 'norm', x: norm.args[0], weight, bias, eps: norm.attrs.eps };
}
