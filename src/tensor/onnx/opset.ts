/**
 * Versions of the standard operator set, ai.onnx: which one a graph needs, so that a file asks no more of whoever reads
 * it than it must. https://onnx.ai/onnx/operators has the versions, docs/Versioning.md of ONNX their releases.
 */

/**
 * The version that brought the form in which `emit.ts` writes each operator for any runtime: what it takes as inputs
 * and as attributes, element types and broadcasting included.
 */
const SINCE: Readonly<Record<string, number>> = {
  Abs: 6,
  Add: 7,
  Cast: 6,
  Clip: 11, // bounds as inputs
  Concat: 4,
  Conv: 1,
  ConvTranspose: 1,
  Cos: 7,
  Div: 7,
  Equal: 11, // of floats
  Erf: 9,
  Exp: 6,
  Expand: 8,
  Gather: 1,
  Gemm: 11, // without a third input
  Identity: 1,
  LayerNormalization: 17,
  Log: 6,
  MatMul: 1,
  Mul: 7,
  Neg: 6,
  Pad: 11, // widths as an input
  Reciprocal: 6,
  ReduceMean: 1, // axes as an attribute, which ends with version 17
  ReduceSum: 13, // axes as an input
  Reshape: 5, // shape as an input
  ScatterElements: 16, // with a reduction
  Sigmoid: 6,
  Sign: 9,
  Sin: 7,
  Slice: 10, // bounds as inputs
  Softmax: 13, // along one axis, without flattening the others
  Split: 13, // sizes as an input
  Sqrt: 6,
  Sub: 7,
  Tanh: 6,
  Transpose: 1,
};

/** What ONNX Runtime promises to run, from its first release on. */
const FIRST = 7;
/** Until this version `emit.ts` writes the standard forms; ReduceMean's changed after it. */
const LAST = 17;

/**
 * The lowest version of ai.onnx that has all of these operators, from the first that runtimes promise to run.
 * @throws Error for an operator that is not in the table.
 */
export function lowestOpset(operators: Iterable<string>): number {
  let lowest = FIRST;
  for (const op of operators) {
    const since = SINCE[op];
    if (!since || since > LAST) throw new Error(`Internal: ${op} has no form in ai.onnx ${LAST}.`);
    lowest = Math.max(lowest, since);
  }
  return lowest;
}

/** The IR version of the ONNX release that brought a version of ai.onnx: releases read what is not newer than they are. */
export function irVersion(opset: number): number {
  if (opset >= 19) return 9;
  if (opset >= 15) return 8;
  if (opset >= 12) return 7;
  if (opset === 11) return 6;
  if (opset === 10) return 5;
  // The first in which a weight need not be an input as well.
  return 4;
}
