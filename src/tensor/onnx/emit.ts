/**
 * From the symbolic graph to ONNX: one rule per operation, plus what ONNX Runtime can do in one node
 * (a product with its bias or residual is one Gemm; a normalisation takes its affine map, GELU its distribution function).
 * For any other runtime the rules keep to the standard's oldest operators.
 */
import {
  type DType,
  is,
  type OpName,
  type SeveralName,
  type Shape,
  type SingleName,
  sameShape,
  size,
  type Tensor,
  topological,
} from '../tensor.ts';
import { emitConv, emitConvInput, emitConvWeight, emitDepthwise, emitDepthwiseWeight } from './convolution.ts';
import { shareCommon } from './cse.ts';
import { fusions, type Product } from './fuse.ts';
import { emitProduct8, matricesToRound } from './int8.ts';
import { ELEMENT_TYPE, OnnxGraph } from './model.ts';

export interface EmitOptions {
  /**
   * For our own engine: whether it feeds the arrays of weights at each run, or keeps a copy of its own ('packed'), of matrices
   * one of 8 bits ('int8').
   */
  readonly weights?: 'shared' | 'packed' | 'int8';
  /** Takes the model's weights as they are made, in place of `external`: one at a time is all that is held. */
  readonly file?: WeightsFile;
  /** For our own engine: many results leave the model as one vector, in their order. */
  readonly joined?: boolean;
  /** For any runtime: only operators of ai.onnx, in its lowest version that has them, and results under their plain names. */
  readonly standard?: boolean;
  /** The model's metadata_props. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A file beside the model, to which it refers by name. */
export interface WeightsFile {
  readonly name: string;
  append(bytes: Uint8Array): void;
}

/** Where weights begin in a file: at multiples of so many bytes, as processors like to read them. */
const ALIGNMENT = 64;

export interface Emitted {
  readonly model: Uint8Array;
  /** What a program of it is fed, and its results. */
  readonly signature: Signature;
  /** Weights that are further inputs, to be fed these arrays. */
  readonly weights: WeightArrays;
  /** Results that the model answers with rows of, to be added up by the ids that this input is fed. */
  readonly rowSums: Readonly<Record<string, { readonly ids: string; readonly rows: Shape }>>;
  /** The one vector of all results; absent where each is an output of its own. */
  readonly joined?: string;
  /** Packed weights: what the model refers to, to be given with it when it is opened. */
  readonly external: WeightArrays<Float32Array | Int8Array>;
  /** How many ONNX nodes it has. */
  readonly nodes: number;
  /** Names of those that a graphics card computes to three digits alone: sines and cosines, of which WGSL promises no more. */
  readonly coarse: readonly string[];
  /** The version of ai.onnx it is written in. */
  readonly opset: number;
}

/** By a name inside the model. */
export type WeightArrays<D = Float32Array> = Readonly<Record<string, { readonly data: D; readonly shape: Shape }>>;

export interface Signature {
  readonly inputs: Record<string, { shape: Shape; dtype: DType }>;
  readonly outputs: Record<string, { shape: Shape }>;
}

/** What a weight is called: no name that a caller would give. */
const weightName = (i: number): string => `weight:${i}`;

/** From so many results on, each as an output of its own costs more than putting them together. */
const MANY_RESULTS = 8;

/** What a model's result is called: not its plain name, which for our own engine a program may also give to an input. */
export const engineOutput = (name: string): string => `out:${name}`;

/**
 * The ONNX model that computes `outputs`. For our own engine it holds no weights; one for any runtime does.
 * @throws Error if two inputs, or with `standard` an input and an output, have one name.
 */
export function emit(
  outputs: Record<string, Tensor>,
  { standard = false, metadata = {}, weights: how = 'shared', joined = false, file }: EmitOptions = {},
): Emitted {
  const shared = shareCommon(Object.values(outputs));
  const results = Object.values(outputs).map((t) => shared.get(t)!);
  const roots = standard ? results : results.map(rowsInstead(results));
  const { order, fused } = fusions(topological(roots), roots, standard);
  const graph = new OnnxGraph({ standard });
  graph.metadata = metadata;
  const names = new Map<Tensor, string | string[]>();
  const inputs: Signature['inputs'] = {};
  const weights: Record<string, { data: Float32Array; shape: Shape }> = {};
  const external: Record<string, { data: Float32Array | Int8Array; shape: Shape }> = {};
  const kept = (data: Float32Array | Int8Array, shape: Shape): string => {
    const name = weightName(graph.external.length);
    const value = { name, shape, dtype: data instanceof Int8Array ? 'int8' : 'float32' } as const;
    if (file) {
      const length = data.byteLength;
      graph.external.push({ ...value, location: file.name, range: { offset, length } });
      const rest = -length & (ALIGNMENT - 1);
      file.append(new Uint8Array(data.buffer, data.byteOffset, length));
      file.append(new Uint8Array(rest));
      offset += length + rest;
    } else {
      graph.external.push({ ...value, location: name });
      external[name] = { data, shape };
    }
    return name;
  };
  let offset = 0;
  const single = (t: Tensor): string => {
    const name = names.get(t);
    if (typeof name !== 'string') throw new Error(`Internal: ${t.op} has no single value.`);
    return name;
  };

  const rounded = how === 'int8' ? matricesToRound(order, fused, roots) : new Set<Tensor>();
  for (const t of order) {
    if (rounded.has(t)) continue;
    const whole = fused.get(t);
    if (whole?.kind === 'norm') {
      names.set(t, emitNorm(graph, whole.eps, [single(whole.x), single(whole.weight), single(whole.bias)])[0]);
    } else if (whole?.kind === 'gelu') {
      names.set(t, graph.op('Gelu', [single(whole.x)]));
    } else if (whole?.kind === 'product') {
      const how8 = rounded.has(whole.operands[1]);
      const y = how8 ? emitProduct8(graph, whole, single, kept) : emitProduct(graph, whole, single);
      names.set(t, reshaped(graph, y, whole.of.shape, whole.shape));
    } else if (is(t, 'input')) {
      const { name } = t.attrs;
      if (name in inputs) throw new Error(`Two different inputs are named ${name}. Give each its own name.`);
      inputs[name] = { shape: t.shape, dtype: t.dtype };
      graph.inputs.push({ name, shape: t.shape, dtype: t.dtype });
      names.set(t, name);
    } else if (is(t, 'weight') && (!standard || file)) {
      if (how === 'shared' && !standard) {
        const name = weightName(Object.keys(weights).length);
        weights[name] = { data: t.attrs.data, shape: t.shape };
        graph.inputs.push({ name, shape: t.shape, dtype: t.dtype });
        names.set(t, name);
      } else names.set(t, kept(t.attrs.data, t.shape));
    } else if (is(t, 'pick')) {
      names.set(t, (names.get(t.args[0]) as string[])[t.attrs.index]);
    } else {
      names.set(
        t,
        (EMIT[t.op] as Emit<OpName>)(
          graph,
          t.args.map((a) => names.get(a) as string),
          t,
        ),
      );
    }
  }
  const out: Signature['outputs'] = {};
  const rowSums: Record<string, { ids: string; rows: Shape }> = {};
  Object.keys(outputs).forEach((name, i) => {
    const [t, result] = [roots[i], results[i]];
    if (t !== result) rowSums[name] = { ids: (result.args[1] as Tensor<'input'>).attrs.name, rows: t.shape };
    out[name] = { shape: result.shape };
  });
  const asOne = joined && roots.length >= MANY_RESULTS ? engineOutput('') : undefined;
  if (asOne !== undefined) {
    const vectors = roots.map((t) =>
      t.shape.length === 1 ? single(t) : graph.op('Reshape', [single(t), graph.ints([-1])]),
    );
    write('Concat', vectors, { axis: 0 }, asOne, [roots.reduce((n, { shape }) => n + size(shape), 0)]);
  } else
    Object.keys(outputs).forEach((name, i) => {
      const written = standard ? name : engineOutput(name);
      if (written in inputs) throw new Error(`An input and an output are named ${name}. Give each its own name.`);
      write('Identity', [single(roots[i])], {}, written, roots[i].shape);
    });
  function write(op: string, ins: string[], attributes: Record<string, number>, name: string, shape: Shape): void {
    graph.nodes.push({ op, inputs: ins, outputs: [name], attributes, domain: '' });
    graph.outputs.push({ name, shape, dtype: 'float32' });
  }
  const { nodes, opset } = graph;
  const coarse = graph.nodes.filter(({ op }) => op === 'Sin' || op === 'Cos');
  for (const node of coarse) node.name = node.outputs[0];
  return {
    coarse: coarse.map(({ outputs }) => outputs[0]),
    model: graph.encode(),
    signature: { inputs, outputs: out },
    rowSums,
    ...(asOne !== undefined && { joined: asOne }),
    weights,
    external,
    nodes: nodes.length,
    opset,
  };
}

/** Of a sum of rows by ids that are fed anyway, the rows. */
function rowsInstead(results: readonly Tensor[]): (t: Tensor) => Tensor {
  const sums = results.filter((t) => is(t, 'scatterAdd') && is(t.args[1], 'input'));
  if (sums.length === 0) return (t) => t;
  const rest = new Set(topological(results.map((t) => (sums.includes(t) ? t.args[0] : t))));
  return (t) => (sums.includes(t) && rest.has(t.args[1]) ? t.args[0] : t);
}

function emitNorm(graph: OnnxGraph, eps: number, inputs: string[]): string[] {
  const outputs = [graph.fresh(), graph.fresh(), graph.fresh()];
  const attributes = { axis: -1, epsilon: { float: eps } };
  graph.nodes.push({ op: 'LayerNormalization', inputs, outputs, attributes, domain: '' });
  return outputs;
}

function emitProduct(graph: OnnxGraph, product: Product, nameOf: (t: Tensor) => string): string {
  const { of, operands, alpha, beta, addend } = product;
  const { transA, transB } = of.attrs;
  const ins = operands.map((t, i) => reshaped(graph, nameOf(t), t.shape, of.args[i].shape));
  const factors = {
    ...(alpha !== 1 && { alpha: { float: alpha } }),
    ...(addend && beta !== 1 && { beta: { float: beta } }),
  };
  const attributes = { transA: +transA, transB: +transB, ...factors };
  if (of.shape.length === 2) return graph.op('Gemm', addend ? [...ins, nameOf(addend)] : ins, attributes);
  if (!transA && !transB && alpha === 1) return graph.op('MatMul', ins);
  if (!graph.standard) return graph.op('FusedMatMul', ins, attributes, 'com.microsoft');
  return graph.op(
    'MatMul',
    [transA, transB].map((swap, i) => (swap ? swapped(graph, ins[i], of.args[i]) : ins[i])),
  );
}

function reshaped(graph: OnnxGraph, name: string, from: Shape, to: Shape): string {
  return sameShape(from, to) ? name : graph.op('Reshape', [name, graph.ints(to)]);
}

/** A batch of matrices, each transposed: the last two axes swapped. */
function swapped(graph: OnnxGraph, name: string, { shape }: Tensor): string {
  const rank = shape.length;
  const perm = [...shape.keys()].map((axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis));
  return graph.op('Transpose', [name], { perm });
}

/** Results of one Split: a WebGPU shader of any adapter may use 8 buffers, of which one is what is split. */
const MOST_PIECES = 7;

/** The pieces of x; many are split in turns, first into runs of pieces. */
function emitSplit(graph: OnnxGraph, x: string, axis: number, sizes: readonly number[]): string[] {
  if (sizes.length === 1) return [x];
  let perRun = 1;
  while (perRun * MOST_PIECES < sizes.length) perRun *= MOST_PIECES;
  const runs: number[][] = [];
  for (let i = 0; i < sizes.length; i += perRun) runs.push(sizes.slice(i, i + perRun));
  const outputs = runs.map(() => graph.fresh());
  const lengths = graph.ints(runs.map((run) => run.reduce((a, b) => a + b, 0)));
  graph.nodes.push({ op: 'Split', inputs: [x, lengths], outputs, attributes: { axis }, domain: '' });
  return runs.flatMap((run, i) => emitSplit(graph, outputs[i], axis, run));
}

type Emit<K extends OpName> = (g: OnnxGraph, ins: string[], t: Tensor<K>) => K extends SeveralName ? string[] : string;

const same =
  (op: string): Emit<SingleName> =>
  (g, ins) =>
    g.op(op, ins);

/** The type that a Cast casts to. */
const FLOAT = ELEMENT_TYPE.float32;

const EMIT: { [K in OpName]: Emit<K> } = {
  input: () => {
    throw new Error('Internal: inputs are emitted by name.');
  },
  pick: () => {
    throw new Error('Internal: outputs are emitted with their node.');
  },
  constant: (g, _, t) => g.floats(t.attrs.data, t.shape),
  weight: (g, _, t) => g.floats(t.attrs.data, t.shape),
  neg: same('Neg'),
  exp: same('Exp'),
  log: same('Log'),
  sqrt: same('Sqrt'),
  abs: same('Abs'),
  sign: same('Sign'),
  tanh: same('Tanh'),
  sigmoid: same('Sigmoid'),
  sin: same('Sin'),
  cos: same('Cos'),
  erf: same('Erf'),
  reciprocal: same('Reciprocal'),
  gelu: (g, ins) => g.op('Mul', ins),
  add: same('Add'),
  sub: same('Sub'),
  mul: same('Mul'),
  div: same('Div'),
  clamp: (g, [x], { attrs: { lo, hi } }) =>
    g.op('Clip', [x, g.floats(Float32Array.of(lo), []), g.floats(Float32Array.of(hi), [])]),
  equal: (g, ins) => g.op('Cast', [g.op('Equal', ins)], { to: FLOAT }),
  sum: (g, [x], { attrs: { axes } }) => g.op('ReduceSum', [x, g.ints(axes)], { keepdims: 1 }),
  mean: (g, [x], { attrs: { axes } }) =>
    g.standard
      ? g.op('ReduceMean', [x], { axes, keepdims: 1 })
      : g.op('ReduceMean', [x, g.ints(axes)], { keepdims: 1 }),
  matmul: () => {
    throw new Error('Internal: products are emitted with what they are fused with.');
  },
  softmax: (g, ins) => g.op('Softmax', ins, { axis: -1 }),
  layerNorm: (g, [x], t) => {
    const width = t.shape.at(-1)!;
    return emitNorm(g, t.attrs.eps, [x, g.floats(new Float32Array(width).fill(1), [width])]);
  },
  split: (g, [x], { attrs: { axis, sizes } }) => emitSplit(g, x, axis, sizes),
  reshape: (g, [x], t) => g.op('Reshape', [x, g.ints(t.shape)]),
  transpose: (g, ins, t) => g.op('Transpose', ins, { perm: t.attrs.perm }),
  concat: (g, ins, t) => g.op('Concat', ins, { axis: t.attrs.axis }),
  slice: (g, [x], { attrs: { axis, start, end } }) =>
    g.op('Slice', [x, g.ints([start]), g.ints([end]), g.ints([axis])]),
  pad: (g, [x], { attrs: { axis, before, after }, shape }) => {
    const along = (width: number) => [...shape.keys()].map((other) => (other === axis ? width : 0));
    return g.op('Pad', [x, g.ints([...along(before), ...along(after)])]);
  },
  broadcast: (g, [x], t) => g.op('Expand', [x, g.ints(t.shape)]),
  gather: (g, [x], { attrs: { axis, indices } }) => g.op('Gather', [x, g.ints(indices)], { axis }),
  embed: (g, ins) => g.op('Gather', ins, { axis: 0 }),
  scatterAdd: (g, [rows, ids], { args, shape: [V, E] }) => {
    const N = size(args[1].shape);
    const at = g.op('Reshape', [ids, g.ints([N, 1])]);
    // The table of zeros follows from the ids, or the runtime would keep it from the time it loads the graph.
    const first = g.op('Gather', [at, g.ints([0])], { axis: 0 });
    const zero = g.op('Cast', [g.op('Sub', [first, first])], { to: FLOAT });
    const table = g.op('Expand', [zero, g.ints([V, E])]);
    // ScatterND would take fewer indices, but several threads of it lose additions to the same row.
    const everywhere = g.op('Expand', [at, g.ints([N, E])]);
    const flat = g.op('Reshape', [rows, g.ints([N, E])]);
    return g.op('ScatterElements', [table, everywhere, flat], { axis: 0, reduction: 'add' });
  },
  conv: emitConv,
  convInput: emitConvInput,
  convWeight: emitConvWeight,
  depthwise: emitDepthwise,
  depthwiseWeight: emitDepthwiseWeight,
};
