/**
 * The vector-Jacobian product of every operation: given y = op(x...) and dL/dy, the nodes of dL/dx.
 *
 * An adjoint may be narrower than its tensor: it then stands for its broadcast, and is widened (`full`) only where an
 * operation needs all its numbers. The constant adjoint of a log-determinant so costs nothing until it meets a product.
 */
import { conv2d, convInput, convWeight, depthwise, depthwiseInput, depthwiseWeight } from './convolution.ts';
import {
  add,
  broadcastTo,
  concat,
  cos,
  div,
  embed,
  equal,
  exp,
  gather,
  matmul,
  mean,
  mul,
  neg,
  pad,
  pick,
  reshape,
  scatterAdd,
  sign,
  sin,
  slice,
  square,
  sub,
  sum,
  transpose,
} from './ops.ts';
import { constant, type SeveralName, type Shape, type SingleName, scalar, size, type Tensor } from './tensor.ts';

type Rule<K extends SingleName> = (y: Tensor<K>, dy: Tensor, wants: (arg: number) => boolean) => (Tensor | undefined)[];

const full = (dy: Tensor, shape: Shape): Tensor => broadcastTo(dy, shape);

/** dy with as many axes as the tensor it belongs to. */
const aligned = (dy: Tensor, rank: number): Tensor =>
  reshape(dy, [...Array<number>(rank - dy.shape.length).fill(1), ...dy.shape]);

/** The adjoint of an operand of shape `arg` that was broadcast to `out`, from the adjoint of the broadcast. */
function unbroadcast(dy: Tensor, out: Shape, arg: Shape): Tensor {
  let g = aligned(dy, out.length);
  const extra = out.length - arg.length;
  const axes: number[] = [];
  let repeats = 1;
  out.forEach((d, i) => {
    if (d === 1 || (arg[i - extra] ?? 1) === d) return;
    if (g.shape[i] === d) axes.push(i);
    else repeats *= d;
  });
  if (axes.length > 0) g = sum(g, axes, { keepDims: true });
  if (repeats > 1) g = mul(g, repeats);
  return extra > 0 ? reshape(g, g.shape.slice(extra)) : g;
}

const elementwise =
  <K extends SingleName>(...rules: ((y: Tensor<K>, dy: Tensor) => Tensor)[]): Rule<K> =>
  (y, dy, wants) =>
    rules.map((rule, i) => (wants(i) ? unbroadcast(rule(y, dy), y.shape, y.args[i].shape) : undefined));

/** Of an operation that is linear in each of its two arguments: the adjoint of either, from a dy as wide as y. */
const bilinear =
  <K extends SingleName>(rule: (y: Tensor<K>, dy: Tensor) => readonly (() => Tensor)[]): Rule<K> =>
  (y, dy, wants) =>
    rule(y, full(dy, y.shape)).map((adjoint, i) => (wants(i) ? adjoint() : undefined));

const notDifferentiable: Rule<SingleName> = () => [];

const RULES: { [K in SingleName]: Rule<K> } = {
  input: notDifferentiable,
  constant: notDifferentiable,
  weight: notDifferentiable,
  pick: notDifferentiable, // Its operation has a rule for all its results together.
  equal: notDifferentiable,
  sign: notDifferentiable,
  neg: elementwise((_, dy) => neg(dy)),
  exp: elementwise((y, dy) => mul(dy, y)),
  log: elementwise((y, dy) => div(dy, y.args[0])),
  sqrt: elementwise((y, dy) => div(mul(dy, 0.5), y)),
  abs: elementwise((y, dy) => mul(dy, sign(y.args[0]))),
  tanh: elementwise((y, dy) => mul(dy, sub(1, square(y)))),
  sigmoid: elementwise((y, dy) => mul(dy, mul(y, sub(1, y)))),
  sin: elementwise((y, dy) => mul(dy, cos(y.args[0]))),
  cos: elementwise((y, dy) => neg(mul(dy, sin(y.args[0])))),
  erf: elementwise((y, dy) => mul(dy, mul(exp(neg(square(y.args[0]))), 2 / Math.sqrt(Math.PI)))),
  reciprocal: elementwise((y, dy) => neg(mul(dy, square(y)))),
  // d/dx x Phi(x) = Phi(x) + x phi(x), and with a = x / sqrt(2): x phi(x) = a exp(-a^2) / sqrt(pi).
  gelu: (y, dy) => {
    const [x, phi] = y.args as [Tensor, Tensor];
    const a = mul(x, Math.SQRT1_2);
    const density = mul(mul(a, exp(neg(square(a)))), 1 / Math.sqrt(Math.PI));
    return [mul(dy, add(phi, density)), undefined];
  },
  clamp: elementwise((y, dy) => mul(dy, equal(y.args[0], y))),
  add: elementwise(
    (_, dy) => dy,
    (_, dy) => dy,
  ),
  sub: elementwise(
    (_, dy) => dy,
    (_, dy) => neg(dy),
  ),
  mul: elementwise(
    (y, dy) => mul(dy, y.args[1]),
    (y, dy) => mul(dy, y.args[0]),
  ),
  div: elementwise(
    (y, dy) => div(dy, y.args[1]),
    (y, dy) => neg(div(mul(dy, y), y.args[1])),
  ),
  sum: (_, dy) => [dy],
  mean: (y, dy) => [mul(dy, size(y.shape) / size(y.args[0].shape))],
  matmul: (y, dy, wants) => {
    const [a, b] = y.args as [Tensor, Tensor];
    const { transA, transB } = y.attrs;
    const g = full(dy, y.shape);
    const da = () => (transA ? matmul(b, g, { transA: transB, transB: true }) : matmul(g, b, { transB: !transB }));
    const db = () => (transB ? matmul(g, a, { transA: true, transB: transA }) : matmul(a, g, { transA: !transA }));
    const within = (t: Tensor, arg: Tensor) => unbroadcast(t, t.shape, arg.shape);
    return [wants(0) ? within(da(), a) : undefined, wants(1) ? within(db(), b) : undefined];
  },
  softmax: (y, dy) => [mul(y, sub(dy, sum(mul(full(dy, y.shape), y), [-1], { keepDims: true })))],
  reshape: (y, dy) => [size(dy.shape) === 1 ? reshape(dy, []) : reshape(full(dy, y.shape), y.args[0].shape)],
  transpose: (y, dy) => {
    const inverse = y.attrs.perm.map((_, i) => y.attrs.perm.indexOf(i));
    return [transpose(aligned(dy, y.shape.length), inverse)];
  },
  concat: (y, dy) => {
    const wide = aligned(dy, y.shape.length);
    const { axis } = y.attrs;
    let start = 0;
    return y.args.map((part) => {
      const from = start;
      start += part.shape[axis];
      return wide.shape[axis] === 1 && y.shape[axis] !== 1 ? wide : slice(wide, axis, from, start);
    });
  },
  slice: (y, dy) => {
    const { axis, start, end } = y.attrs;
    return [pad(full(dy, y.shape), axis, start, y.args[0].shape[axis] - end)];
  },
  pad: (y, dy) => {
    const { axis, before } = y.attrs;
    return [slice(full(dy, y.shape), axis, before, before + y.args[0].shape[axis])];
  },
  broadcast: elementwise((_, dy) => dy),
  gather: (y, dy) => {
    const { axis, indices } = y.attrs;
    const length = y.args[0].shape[axis];
    const g = full(dy, y.shape);
    if (indices.length === length && new Set(indices).size === length)
      return [
        gather(
          g,
          axis,
          indices.map((_, i) => indices.indexOf(i)),
        ),
      ];
    // Repeated or missing indices: the adjoint of a selection matrix is its transpose.
    const selection = new Float32Array(indices.length * length);
    indices.forEach((from, to) => {
      selection[to * length + from] = 1;
    });
    const last = y.shape.length - 1;
    const swap = y.shape.map((_, i) => (i === axis ? last : i === last ? axis : i));
    const matrix = constant(selection, [indices.length, length]);
    const rows = transpose(g, swap);
    const lead = rows.shape.slice(0, -1);
    const moved = matmul(reshape(rows, [size(lead), indices.length]), matrix);
    return [transpose(reshape(moved, [...lead, length]), swap)];
  },
  embed: (y, dy) => [scatterAdd(full(dy, y.shape), y.args[1], y.args[0].shape[0]), undefined],
  scatterAdd: (y, dy) => [embed(full(dy, y.shape), y.args[1]), undefined],
  conv: bilinear((y, g) => [
    () => convInput(g, y.args[1], y.attrs, y.args[0].shape),
    () => convWeight(y.args[0], g, y.attrs, y.args[1].shape),
  ]),
  convInput: bilinear((y, g) => [
    () => conv2d(g, y.args[1], y.attrs),
    () => convWeight(g, y.args[0], y.attrs, y.args[1].shape),
  ]),
  convWeight: bilinear((y, g) => [
    () => convInput(y.args[1], g, y.attrs, y.args[0].shape),
    () => conv2d(y.args[0], g, y.attrs),
  ]),
  depthwise: bilinear((y, g) => {
    const [x, { sides, reversed }] = [y.args[0], y.attrs];
    return [() => depthwiseInput(g, y), () => (reversed ? depthwiseWeight(g, x, sides) : depthwiseWeight(x, g, sides))];
  }),
  depthwiseWeight: bilinear((y, g) => [
    () => depthwise(y.args[1], g, y.attrs.sides, true),
    () => depthwise(y.args[0], g, y.attrs.sides, false),
  ]),
};

type OutputsRule<K extends SeveralName> = (
  y: Tensor<K>,
  dys: readonly (Tensor | undefined)[],
) => (Tensor | undefined)[];

const OUTPUTS_RULES: { [K in SeveralName]: OutputsRule<K> } = {
  split: (y, dys) => {
    const x = y.args[0];
    const { axis, sizes } = y.attrs;
    const parts = sizes.map((s, i) =>
      full(
        dys[i] ?? scalar(0),
        x.shape.map((d, j) => (j === axis ? s : d)),
      ),
    );
    return [concat(parts, axis)];
  },
  // With n = normalised x and r = 1 / standard deviation, dx = r (dn - mean(dn) - n mean(dn n)).
  layerNorm: (y, dys) => {
    if (dys.length > 1) throw new Error('The mean and deviation of layerNorm are not differentiable outputs.');
    const x = y.args[0];
    const dn = full(dys[0]!, x.shape);
    const n = pick(y, 0, x.shape);
    const r = pick(y, 2, [...x.shape.slice(0, -1), 1]);
    const along = mean(mul(dn, n), [-1], { keepDims: true });
    return [mul(sub(sub(dn, mean(dn, [-1], { keepDims: true })), mul(n, along)), r)];
  },
};

/** Adjoints of the arguments of a node with one result; undefined where none flows. */
export function vjp(y: Tensor, dy: Tensor, wants: (arg: number) => boolean): (Tensor | undefined)[] {
  return (RULES[y.op as SingleName] as Rule<SingleName>)(y as Tensor<SingleName>, dy, wants);
}

/** Adjoints of the arguments of a node with several results, from the adjoints of those that were used. */
export function outputsVjp(y: Tensor<SeveralName>, dys: readonly (Tensor | undefined)[]): (Tensor | undefined)[] {
  return (OUTPUTS_RULES[y.op] as OutputsRule<SeveralName>)(y, dys);
}
