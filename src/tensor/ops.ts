/**
 * Operations on symbolic tensors. Shapes are checked here, where the mistake is made, not when the program runs.
 * Numbers are accepted wherever a tensor broadcasts. Multiplying by 1, adding 0 and the like cost no node.
 */
import * as math from '../math.ts';
import {
  broadcastShapes,
  constant,
  is,
  node,
  resolveAxis,
  type SeveralName,
  type Shape,
  sameShape,
  scalar,
  scalarValue,
  show,
  size,
  type Tensor,
} from './tensor.ts';

type Operand = Tensor | number;
type Unary =
  | 'neg'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'abs'
  | 'sign'
  | 'tanh'
  | 'sin'
  | 'cos'
  | 'sigmoid'
  | 'erf'
  | 'reciprocal';

const lift = (x: Operand): Tensor => (typeof x === 'number' ? scalar(x) : x);

const FOLD: Record<Unary, ((x: number) => number) | undefined> = {
  neg: (x) => -x,
  exp: math.exp,
  log: math.log,
  sqrt: Math.sqrt,
  abs: Math.abs,
  sign: Math.sign,
  tanh: math.tanh,
  sin: math.sin,
  cos: math.cos,
  sigmoid: undefined,
  erf: undefined,
  reciprocal: (x) => 1 / x,
};

function unary(op: Unary, x: Tensor): Tensor {
  const value = scalarValue(x);
  const fold = FOLD[op];
  if (value !== undefined && fold) return constant([fold(value)], x.shape);
  return node(op, [x], {}, x.shape);
}

// Element by element; shapes stay.
export const neg = (x: Tensor): Tensor => (is(x, 'neg') ? x.args[0] : unary('neg', x));
export const exp = (x: Tensor): Tensor => unary('exp', x);
export const log = (x: Tensor): Tensor => unary('log', x);
export const sqrt = (x: Tensor): Tensor => unary('sqrt', x);
export const abs = (x: Tensor): Tensor => unary('abs', x);
export const sign = (x: Tensor): Tensor => unary('sign', x);
export const tanh = (x: Tensor): Tensor => unary('tanh', x);
export const sin = (x: Tensor): Tensor => unary('sin', x);
export const cos = (x: Tensor): Tensor => unary('cos', x);
export const sigmoid = (x: Tensor): Tensor => unary('sigmoid', x);
export const erf = (x: Tensor): Tensor => unary('erf', x);
export const reciprocal = (x: Tensor): Tensor => unary('reciprocal', x);
export const square = (x: Tensor): Tensor => mul(x, x);
export const silu = (x: Tensor): Tensor => mul(x, sigmoid(x));
/**
 * The exact GELU, x Phi(x) with Phi the standard normal distribution function (not the tanh approximation). With
 * s = x / sqrt(2) it is s (1 + erf(s)) / sqrt(2): both factors become a part of the products before and after it.
 */
export function gelu(x: Tensor): Tensor {
  const s = mul(x, Math.SQRT1_2);
  return mul(node('gelu', [s, add(erf(s), 1)], {}, x.shape), Math.SQRT1_2);
}
/** min(max(x, lo), hi); the derivative is 1 inside and on the bounds, 0 outside. */
export const clamp = (x: Tensor, lo: number, hi: number): Tensor => node('clamp', [x], { lo, hi }, x.shape);
export const equal = (a: Tensor, b: Tensor): Tensor =>
  node('equal', [a, b], {}, broadcastShapes(a.shape, b.shape, 'equal'));

/** If one operand is a scalar that leaves the other unchanged, the other. */
function identity(a: Tensor, b: Tensor, shape: Shape, neutral: number): Tensor | undefined {
  if (scalarValue(b) === neutral && sameShape(a.shape, shape)) return a;
  return undefined;
}

// Of two operands, element by element, broadcast as in NumPy. @throws Error naming shapes that do not fit together.

export function add(x: Operand, y: Operand): Tensor {
  const [a, b] = [lift(x), lift(y)];
  const shape = broadcastShapes(a.shape, b.shape, 'add');
  return identity(a, b, shape, 0) ?? identity(b, a, shape, 0) ?? node('add', [a, b], {}, shape);
}

export function sub(x: Operand, y: Operand): Tensor {
  const [a, b] = [lift(x), lift(y)];
  const shape = broadcastShapes(a.shape, b.shape, 'sub');
  if (scalarValue(a) === 0 && sameShape(b.shape, shape)) return neg(b);
  return identity(a, b, shape, 0) ?? node('sub', [a, b], {}, shape);
}

export function mul(x: Operand, y: Operand): Tensor {
  const [a, b] = [lift(x), lift(y)];
  const shape = broadcastShapes(a.shape, b.shape, 'mul');
  const [va, vb] = [scalarValue(a), scalarValue(b)];
  if (va !== undefined && vb !== undefined) return constant([va * vb], shape);
  // Scalars meet: c1 (c2 x) = (c1 c2) x.
  for (const [s, t] of [
    [va, b],
    [vb, a],
  ] as const) {
    if (s === undefined || !is(t, 'mul')) continue;
    for (const i of [0, 1]) {
      const inner = scalarValue(t.args[i]);
      if (inner !== undefined && sameShape(t.args[1 - i].shape, shape)) return mul(t.args[1 - i], s * inner);
    }
  }
  return identity(a, b, shape, 1) ?? identity(b, a, shape, 1) ?? node('mul', [a, b], {}, shape);
}

/** What a number multiplies, reshaped as the result is, and the number. */
function scaling(t: Tensor): { x: Tensor; by: number } | undefined {
  if (is(t, 'reshape')) {
    const inner = scaling(t.args[0]);
    return inner && { x: reshape(inner.x, t.shape), by: inner.by };
  }
  if (!is(t, 'mul')) return undefined;
  for (const i of [0, 1]) {
    const [x, by] = [t.args[1 - i], scalarValue(t.args[i])];
    if (by !== undefined && sameShape(x.shape, t.shape)) return { x, by };
  }
  return undefined;
}

export function div(x: Operand, y: Operand): Tensor {
  const [a, b] = [lift(x), lift(y)];
  const vb = scalarValue(b);
  if (vb !== undefined && b.shape.length === 0) return mul(a, 1 / vb);
  return node('div', [a, b], {}, broadcastShapes(a.shape, b.shape, 'div'));
}

function reduce(op: 'sum' | 'mean', x: Tensor, axes: readonly number[] | undefined, keepDims: boolean): Tensor {
  const which = new Set((axes ?? x.shape.map((_, i) => i)).map((a) => resolveAxis(a, x.shape.length, op)));
  const factor = scaling(x);
  if (factor) return mul(reduce(op, factor.x, axes, keepDims), factor.by);
  const kept = x.shape.map((d, i) => (which.has(i) ? 1 : d));
  const reduced = sameShape(kept, x.shape) ? x : node(op, [x], { axes: [...which].sort((a, b) => a - b) }, kept);
  return keepDims
    ? reduced
    : reshape(
        reduced,
        x.shape.filter((_, i) => !which.has(i)),
      );
}

/** Sum over `axes` (all when undefined). */
export function sum(x: Tensor, axes?: readonly number[], { keepDims = false } = {}): Tensor {
  return reduce('sum', x, axes, keepDims);
}

/** Mean over `axes` (all when undefined). */
export function mean(x: Tensor, axes?: readonly number[], { keepDims = false } = {}): Tensor {
  return reduce('mean', x, axes, keepDims);
}

/**
 * Matrix product of the last two axes, leading axes broadcast. transA, transB read an operand transposed.
 * A stack times one matrix is one large product: [..., M, K] with [K, N] runs as [... x M, K] with [K, N].
 */
export function matmul(a: Tensor, b: Tensor, { transA = false, transB = false } = {}): Tensor {
  if (a.shape.length < 2 || b.shape.length < 2)
    throw new Error(
      `matmul needs matrices; got shapes ${show(a.shape)} and ${show(b.shape)}. Reshape vectors to one row.`,
    );
  const [ra, ca] = a.shape.slice(-2) as [number, number];
  const [rb, cb] = b.shape.slice(-2) as [number, number];
  const [m, k] = transA ? [ca, ra] : [ra, ca];
  const [k2, n] = transB ? [cb, rb] : [rb, cb];
  if (k !== k2)
    throw new Error(
      `matmul contracts ${k} with ${k2}: shapes ${show(a.shape)}${transA ? '^T' : ''} and ${show(b.shape)}${transB ? '^T' : ''}.`,
    );
  const lead = a.shape.slice(0, -2);
  if (lead.length > 0 && b.shape.length === 2 && !transA)
    return reshape(matmul(reshape(a, [size(lead) * m, k]), b, { transB }), [...lead, m, n]);
  const batch = broadcastShapes(lead, b.shape.slice(0, -2), 'matmul');
  return node('matmul', [a, b], { transA, transB }, [...batch, m, n]);
}

/** x W^T + b with weight [out, in] and bias [out], on the last axis of x. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const [out, width] = weight.shape;
  if (weight.shape.length !== 2 || x.shape.at(-1) !== width)
    throw new Error(`linear needs x [..., in] and weight [out, in]; got ${show(x.shape)} and ${show(weight.shape)}.`);
  const rows = reshape(x, [size(x.shape.slice(0, -1)), width]);
  const y = matmul(rows, weight, { transB: true });
  return reshape(bias ? add(y, bias) : y, [...x.shape.slice(0, -1), out]);
}

/** Softmax over the last axis. */
export const softmax = (x: Tensor): Tensor => node('softmax', [x], {}, x.shape);

/** One result of an operation that has several. */
export const pick = (t: Tensor<SeveralName>, index: number, shape: Shape): Tensor =>
  node('pick', [t], { index }, shape);

/** (x - mean) / sqrt(variance + eps) over the last axis, then the affine map if given. */
export function layerNorm(x: Tensor, weight?: Tensor, bias?: Tensor, eps = 1e-5): Tensor {
  let y = pick(node('layerNorm', [x], { eps }, x.shape), 0, x.shape);
  if (weight) y = mul(y, weight);
  return bias ? add(y, bias) : y;
}

/** The same numbers in another shape; one size may be -1 and is then inferred. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const known = size(shape.filter((d) => d !== -1));
  const full = shape.map((d) => (d === -1 ? size(x.shape) / known : d));
  if (size(full) !== size(x.shape))
    throw new Error(`Cannot reshape ${show(x.shape)} (${size(x.shape)} numbers) to ${show(shape)}.`);
  if (sameShape(full, x.shape)) return x;
  if (is(x, 'reshape')) return reshape(x.args[0], full);
  if (is(x, 'constant')) return constant(x.attrs.data, full);
  if (is(x, 'weight')) return node('weight', [], x.attrs, full);
  return node('reshape', [x], {}, full);
}

/** Axes in a new order; reversed when `perm` is not given. */
export function transpose(x: Tensor, perm?: readonly number[]): Tensor {
  const order = (perm ?? x.shape.map((_, i) => x.shape.length - 1 - i)).map((a) =>
    resolveAxis(a, x.shape.length, 'transpose'),
  );
  if (new Set(order).size !== x.shape.length)
    throw new Error(`transpose of ${show(x.shape)} needs each axis once; got ${show(order)}.`);
  if (order.every((a, i) => a === i)) return x;
  return node(
    'transpose',
    [x],
    { perm: order },
    order.map((a) => x.shape[a]),
  );
}

export function concat(parts: readonly Tensor[], axis: number): Tensor {
  const first = parts[0];
  if (!first) throw new Error('concat needs at least one tensor; got an empty list.');
  const at = resolveAxis(axis, first.shape.length, 'concat');
  for (const part of parts)
    if (part.shape.length !== first.shape.length || part.shape.some((d, i) => i !== at && d !== first.shape[i]))
      throw new Error(
        `concat along axis ${axis} needs equal other axes; got ${parts.map((p) => show(p.shape)).join(', ')}.`,
      );
  if (parts.length === 1) return first;
  const total = parts.reduce((n, p) => n + p.shape[at], 0);
  return node(
    'concat',
    parts,
    { axis: at },
    first.shape.map((d, i) => (i === at ? total : d)),
  );
}

/** Consecutive pieces of one axis with the given sizes, which must add up to it. */
export function split(x: Tensor, axis: number, sizes: readonly number[]): Tensor[] {
  const at = resolveAxis(axis, x.shape.length, 'split');
  if (sizes.reduce((a, b) => a + b, 0) !== x.shape[at])
    throw new Error(`split of axis ${axis} of ${show(x.shape)} needs sizes that add up to it; got ${show(sizes)}.`);
  if (sizes.length === 1) return [x];
  const whole = node('split', [x], { axis: at, sizes: [...sizes] }, x.shape);
  return sizes.map((s, i) =>
    pick(
      whole,
      i,
      x.shape.map((d, j) => (j === at ? s : d)),
    ),
  );
}

/** Elements [start, end) of one axis. */
export function slice(x: Tensor, axis: number, start: number, end: number): Tensor {
  const at = resolveAxis(axis, x.shape.length, 'slice');
  const length = x.shape[at];
  if (start < 0 || end > length || start >= end)
    throw new Error(`slice [${start}, ${end}) is not inside axis ${axis} of ${show(x.shape)}.`);
  if (start === 0 && end === length) return x;
  return node(
    'slice',
    [x],
    { axis: at, start, end },
    x.shape.map((d, i) => (i === at ? end - start : d)),
  );
}

export function pad(x: Tensor, axis: number, before: number, after: number): Tensor {
  const at = resolveAxis(axis, x.shape.length, 'pad');
  return node(
    'pad',
    [x],
    { axis: at, before, after },
    x.shape.map((d, i) => (i === at ? d + before + after : d)),
  );
}

/** x repeated along its axes of size 1 (and new leading axes) to `shape`. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  if (!sameShape(broadcastShapes(x.shape, shape, 'broadcastTo'), shape))
    throw new Error(`${show(x.shape)} does not broadcast to ${show(shape)}.`);
  return node('broadcast', [x], {}, [...shape]);
}

/** The elements of one axis at constant indices: permutations, selections, repetitions. */
export function gather(x: Tensor, axis: number, indices: ArrayLike<number>): Tensor {
  const at = resolveAxis(axis, x.shape.length, 'gather');
  const list = Array.from(indices);
  const bad = list.find((i) => !Number.isInteger(i) || i < 0 || i >= x.shape[at]);
  if (bad !== undefined) throw new Error(`gather index ${bad} is outside axis ${axis} of ${show(x.shape)}.`);
  return node(
    'gather',
    [x],
    { axis: at, indices: list },
    x.shape.map((d, i) => (i === at ? list.length : d)),
  );
}

/** Rows of a table [V, E] by int64 ids [...]: [..., E]. */
export function embed(table: Tensor, ids: Tensor): Tensor {
  if (table.shape.length !== 2 || ids.dtype !== 'int64')
    throw new Error(
      `embed needs a table [V, E] and int64 ids; got ${show(table.shape)} and ${ids.dtype} ${show(ids.shape)}.`,
    );
  return node('embed', [table, ids], {}, [...ids.shape, table.shape[1]]);
}

/** Rows [..., E] added up in a table [V, E] at int64 ids [...]; zeros where no id points. The adjoint of `embed`. */
export function scatterAdd(rows: Tensor, ids: Tensor, V: number): Tensor {
  if (!sameShape(rows.shape.slice(0, -1), ids.shape) || ids.dtype !== 'int64')
    throw new Error(
      `scatterAdd needs one row per int64 id; got rows ${show(rows.shape)} and ${ids.dtype} ${show(ids.shape)}.`,
    );
  return node('scatterAdd', [rows, ids], {}, [V, rows.shape.at(-1)!]);
}
