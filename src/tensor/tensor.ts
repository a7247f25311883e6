/**
 * The node of the symbolic graph. A tensor knows its shape and how it is made; it holds no numbers
 * (constants aside). Operations (ops.ts) build nodes, grad (grad.ts) builds the nodes of derivatives, an engine runs them.
 */

export type Shape = readonly number[];
export type DType = 'float32' | 'int64';

/** Operations with one result, and their attributes. */
export interface SingleOutput {
  input: { name: string };
  constant: { data: Float32Array };
  /** `lazy`: read or drawn anew whenever it is asked for, and kept by nobody. */
  weight: { readonly data: Float32Array; readonly lazy?: true };
  neg: object;
  exp: object;
  log: object;
  sqrt: object;
  abs: object;
  sign: object;
  tanh: object;
  sin: object;
  cos: object;
  sigmoid: object;
  erf: object;
  reciprocal: object;
  /** s t with t = 1 + erf(s), its second argument, shared with the derivative. */
  gelu: object;
  clamp: { lo: number; hi: number };
  /** 1 where a = b, else 0; not differentiable. */
  equal: object;
  add: object;
  sub: object;
  mul: object;
  div: object;
  sum: { axes: readonly number[] };
  mean: { axes: readonly number[] };
  matmul: { transA: boolean; transB: boolean };
  softmax: object;
  /** One result of an operation that has several. */
  pick: { index: number };
  reshape: object;
  transpose: { perm: readonly number[] };
  concat: { axis: number };
  /** Elements [start, end) of one axis. */
  slice: { axis: number; start: number; end: number };
  /** Zeros before and after along one axis: the adjoint of slice. */
  pad: { axis: number; before: number; after: number };
  broadcast: object;
  gather: { axis: number; indices: readonly number[] };
  /** Rows of a table [V, E] by int64 ids. */
  embed: object;
  /** Rows [..., E] added up in a table [V, E] at int64 ids [...]: the adjoint of embed. */
  scatterAdd: object;
  /** Pictures and kernels to pictures, and its adjoints in the first and in the second (convolution.ts). */
  conv: { stride: number; pad: number };
  convInput: { stride: number; pad: number };
  convWeight: { stride: number; pad: number };
  /** Channel by channel, 3 x 3; `residual` adds the picture, `reversed` reads the taps from the last to the first. */
  depthwise: { sides: readonly [number, number]; residual: boolean; reversed: boolean };
  /** The adjoint of depthwise in its kernel. */
  depthwiseWeight: { sides: readonly [number, number] };
}

/** Operations with several results, each of which is a `pick`. */
export interface SeveralOutputs {
  /** 0 normalised x, 1 mean, 2 inverse standard deviation; over the last axis. */
  layerNorm: { eps: number };
  /** One per size. */
  split: { axis: number; sizes: readonly number[] };
}

/**
 * Every primitive of the graph with its attributes. Derivatives, ONNX emission and the test interpreter are tables over
 * it, and the compiler refuses a table with a missing entry.
 */
export type Attributes = SingleOutput & SeveralOutputs;

export type OpName = keyof Attributes;
export type SingleName = keyof SingleOutput;
export type SeveralName = keyof SeveralOutputs;

/** A symbolic tensor: one node of the graph. Reductions keep their axes as 1; sum and mean in ops.ts drop them. */
export interface Tensor<K extends OpName = OpName> {
  readonly id: number;
  readonly op: K;
  readonly args: readonly Tensor[];
  readonly attrs: Attributes[K];
  readonly shape: Shape;
  readonly dtype: DType;
}

let nextId = 0;

export function node<K extends OpName>(
  op: K,
  args: readonly Tensor[],
  attrs: Attributes[K],
  shape: Shape,
  dtype: DType = 'float32',
): Tensor<K> {
  return { id: nextId++, op, args, attrs, shape, dtype };
}

/** Narrows a node to one operation, so that its attributes are typed. */
export function is<K extends OpName>(t: Tensor, op: K): t is Tensor<K> {
  return t.op === op;
}

export function size(shape: Shape): number {
  return shape.reduce((a, b) => a * b, 1);
}

export function show(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

/** The NumPy broadcast of two shapes. @throws Error naming both shapes if an axis has two different sizes above 1. */
export function broadcastShapes(a: Shape, b: Shape, what: string): Shape {
  const rank = Math.max(a.length, b.length);
  const out: number[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1)
      throw new Error(`${what} needs shapes that broadcast; got ${show(a)} and ${show(b)} (axis ${i - rank}).`);
    out.push(x === 1 ? y : x);
  }
  return out;
}

/** Axes counted from the front; negative ones count from the end. @throws Error for an axis the shape does not have. */
export function resolveAxis(axis: number, rank: number, what: string): number {
  const out = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || out < 0 || out >= rank)
    throw new Error(`${what}: axis ${axis} does not exist in a tensor of ${rank} axes.`);
  return out;
}

/** A named argument of the program; numbers are fed when it runs. */
export function input(name: string, shape: Shape, dtype: DType = 'float32'): Tensor {
  if (shape.some((d) => !Number.isInteger(d) || d < 1))
    throw new Error(`Input ${name} needs positive integer sizes; got ${show(shape)}.`);
  return node('input', [], { name }, [...shape], dtype);
}

/** A few numbers that are part of the graph, copied: a factor, a mask, a table of angles. For parameters there is `weight`. */
export function constant(data: ArrayLike<number>, shape: Shape): Tensor {
  if (data.length !== size(shape))
    throw new Error(
      `A constant of shape ${show(shape)} needs ${size(shape)} numbers; got ${data.length}. Pass the shape of the data.`,
    );
  return node('constant', [], { data: Float32Array.from(data) }, [...shape]);
}

/**
 * Parameters of a program that are not its caller's to feed. The numbers are read from `data` whenever the program runs:
 * several programs share one array, and none grows with it. They may change between runs.
 */
export function weight(data: Float32Array, shape: Shape): Tensor {
  if (data.length !== size(shape))
    throw new Error(
      `A weight of shape ${show(shape)} needs ${size(shape)} numbers; got ${data.length}. Pass the shape of the data.`,
    );
  return node('weight', [], { data }, [...shape]);
}

/** A weight that is read when a graph is compiled, for programs that keep a copy of it in another form. */
export const lazyWeight = (source: { readonly data: Float32Array; readonly shape: Shape }): Tensor => {
  const attrs = {
    lazy: true,
    get data() {
      return source.data;
    },
  } as const;
  return node('weight', [], attrs, [...source.shape]);
};

export function scalar(value: number): Tensor {
  return constant([value], []);
}

/** The value of a one-element constant, if it is one: what peephole simplifications look at. */
export function scalarValue(t: Tensor): number | undefined {
  return is(t, 'constant') && t.attrs.data.length === 1 ? t.attrs.data[0] : undefined;
}

/** All nodes the outputs depend on, arguments before users. Iterative: graphs are deep. */
export function topological(outputs: readonly Tensor[]): Tensor[] {
  const order: Tensor[] = [];
  const seen = new Set<Tensor>();
  const stack: { t: Tensor; next: number }[] = [];
  for (const root of outputs) {
    if (seen.has(root)) continue;
    seen.add(root);
    stack.push({ t: root, next: 0 });
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      const arg = top.t.args[top.next++];
      if (arg === undefined) {
        order.push(top.t);
        stack.pop();
      } else if (!seen.has(arg)) {
        seen.add(arg);
        stack.push({ t: arg, next: 0 });
      }
    }
  }
  return order;
}
