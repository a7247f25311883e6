/**
 * Products with matrices of 8 bits, as ONNX Runtime's dynamic quantisation has them: W is rounded to integers with a scale for
 * each output, x, when it comes, to unsigned ones with a scale and a zero of its own; sums are exact, and scaled back.
 */
import { is, type Tensor } from '../tensor.ts';
import type { OnnxGraph } from './model.ts';

/** Smaller matrices are read in no time, and their products are worth more than the rounding of what comes saves. */
const WORTH_ROUNDING = 1 << 12;
const MOST = 127;

type Matrix = Tensor<'weight'>;

/** Whether a product is x W^T with a matrix of weights. */
const isProduct = (t: Tensor): boolean =>
  is(t, 'matmul') && is(t.args[1], 'weight') && t.attrs.transB && !t.attrs.transA && t.shape.length === 2;

/** The matrices of weights that are multiplied with and nothing else. */
export function matricesToRound(order: readonly Tensor[], roots: readonly Tensor[]): ReadonlySet<Tensor> {
  const matrices = new Set<Tensor>();
  for (const t of order) {
    const W = t.args[1];
    if (isProduct(t) && W.shape[0] * W.shape[1] >= WORTH_ROUNDING) matrices.add(W);
  }
  for (const t of order)
    t.args.forEach((arg, i) => {
      if (!(i === 1 && isProduct(t))) matrices.delete(arg);
    });
  for (const t of roots) matrices.delete(t);
  return matrices;
}

/** W [out, in] as integers [in, out], which times the scale of their column are nearly it. */
export function roundMatrix({ attrs: { data }, shape }: Matrix): { data: Int8Array; scales: Float32Array } {
  const [outputs, inputs] = shape;
  const rounded = new Int8Array(data.length);
  const scales = new Float32Array(outputs);
  for (let o = 0; o < outputs; o++) {
    const row = data.subarray(o * inputs, (o + 1) * inputs);
    let most = 0;
    for (let i = 0; i < inputs; i++) most = Math.max(most, Math.abs(row[i]));
    scales[o] = most / MOST || 1;
    for (let i = 0, to = o; i < inputs; i++, to += outputs) rounded[to] = Math.round(row[i] / scales[o]);
  }
  return { data: rounded, scales };
}

/** x W^T, and the bias if there is one. */
export function emitProduct8(graph: OnnxGraph, x: string, W: string, scales: Float32Array, bias?: string): string {
  const ins = [x, W, graph.floats(scales, [scales.length])];
  return graph.op('DynamicQuantizeMatMul', bias ? [...ins, '', bias] : ins, {}, 'com.microsoft');
}
