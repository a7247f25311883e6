/**
 * Products with matrices of 8 bits, as ONNX Runtime's dynamic quantisation has them: W is rounded to integers with a scale for
 * each output, x, when it comes, to unsigned ones with a scale and a zero of its own; sums are scaled back.
 */
import { is, type Shape, sameShape, type Tensor } from '../tensor.ts';
import { type Fused, inputsOf, type Product } from './fuse.ts';
import type { OnnxGraph } from './model.ts';

/** Smaller matrices are read in no time, and their products are worth more than the rounding of what comes saves. */
const WORTH_ROUNDING = 1 << 12;
const MOST = 127;

/** Whether it is x W^T with a matrix of weights. */
function isProduct(f: Fused | undefined): f is Product {
  if (f?.kind !== 'product') return false;
  const [W, { attrs, args, shape }] = [f.operands[1], f.of];
  return is(W, 'weight') && sameShape(W.shape, args[1].shape) && shape.length === 2 && attrs.transB && !attrs.transA;
}

/** The matrices of weights that are multiplied with and nothing else. */
export function matricesToRound(
  order: readonly Tensor[],
  fused: ReadonlyMap<Tensor, Fused>,
  roots: readonly Tensor[],
): ReadonlySet<Tensor> {
  const matrices = new Set<Tensor>();
  const others = new Set<Tensor>(roots);
  for (const t of order) {
    const f = fused.get(t);
    const product = isProduct(f);
    if (product && f.operands[1].shape[0] * f.operands[1].shape[1] >= WORTH_ROUNDING) matrices.add(f.operands[1]);
    (inputsOf(f) ?? t.args).forEach((arg, i) => {
      if (!(product && i === 1)) others.add(arg);
    });
  }
  return new Set([...matrices].filter((matrix) => !others.has(matrix)));
}

/** W [out, in] as integers [in, out], which times the scale of their column are nearly it. */
function roundMatrix(data: Float32Array, [outputs, inputs]: Shape): { rounded: Int8Array; scales: Float32Array } {
  const rounded = new Int8Array(data.length);
  const scales = new Float32Array(outputs);
  for (let o = 0; o < outputs; o++) {
    const row = data.subarray(o * inputs, (o + 1) * inputs);
    let most = 0;
    for (let i = 0; i < inputs; i++) most = Math.max(most, Math.abs(row[i]));
    scales[o] = most / MOST || 1;
    for (let i = 0, to = o; i < inputs; i++, to += outputs) rounded[to] = Math.round(row[i] / scales[o]);
  }
  return { rounded, scales };
}

/** alpha x W^T + beta c. @param kept takes what the model refers to, and names it */
export function emitProduct8(
  graph: OnnxGraph,
  { of, operands, alpha, addend, beta }: Product,
  nameOf: (t: Tensor) => string,
  kept: (data: Int8Array, shape: Shape) => string,
): string {
  const [x, W] = operands as [Tensor, Tensor<'weight'>];
  const [outputs, inputs] = W.shape;
  const { rounded, scales } = roundMatrix(W.attrs.data, W.shape);
  const rows = sameShape(x.shape, of.args[0].shape)
    ? nameOf(x)
    : graph.op('Reshape', [nameOf(x), graph.ints(of.args[0].shape)]);
  const factors = graph.floats(alpha === 1 ? scales : scales.map((scale) => scale * alpha), [outputs]);
  const ins = [rows, kept(rounded, [inputs, outputs]), factors];
  const bias = addend && beta === 1 && addend.shape.length === 1;
  const y = graph.op('DynamicQuantizeMatMul', bias ? [...ins, '', nameOf(addend)] : ins, {}, 'com.microsoft');
  if (!addend || bias) return y;
  const more = beta === 1 ? nameOf(addend) : graph.op('Mul', [nameOf(addend), graph.floats(Float32Array.of(beta), [])]);
  return graph.op('Add', [y, more]);
}
