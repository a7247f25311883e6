/** The differentiable graph: symbolic tensors, gradients, programs on ONNX Runtime, parameter trees. */
export { engineVersion } from './engine.ts';
export { grad } from './grad.ts';
export * from './ops.ts';
export { type CompileOptions, compile, type Feed, type Program, ProgramCache } from './program.ts';
export { constant, type DType, input, type Shape, scalar, type Tensor } from './tensor.ts';
export {
  feeds,
  type Layout,
  layoutOf,
  leaves,
  mapTree,
  type NDArray,
  pack,
  symbols,
  type Tree,
  unpack,
} from './tree.ts';
