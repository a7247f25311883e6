/** The differentiable graph: symbolic tensors, gradients, parameter trees. */
export { grad } from './grad.ts';
export * from './ops.ts';
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
