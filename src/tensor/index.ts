/** The differentiable graph: symbolic tensors, gradients, parameter trees. Pure: it runs wherever JavaScript does. */
export { type Conv2dOptions, conv2d, depthwise3x3 } from './convolution.ts';
export { grad, gradOf } from './grad.ts';
export { type GroupRule, groupsOf, type ParameterGroup } from './groups.ts';
export * from './ops.ts';
export { constant, type DType, input, type Shape, scalar, size, type Tensor, weight } from './tensor.ts';
export {
  byPath,
  feeds,
  freeze,
  type Layout,
  layoutOf,
  lazily,
  leaves,
  type MapTree,
  mapTree,
  materialise,
  type NDArray,
  pack,
  type Spec,
  symbols,
  type Tree,
  unpack,
} from './tree.ts';
