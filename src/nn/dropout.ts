/**
 * Dropout with its randomness as an argument: in training every mask is an input of the graph, filled from the run's
 * key; in evaluation the layer is the identity and the graph has no such input.
 */
import { input, mul, type Tensor } from '../tensor/index.ts';

export type Dropout = (x: Tensor) => Tensor;

export const noDropout: Dropout = (x) => x;

/** Prefix of the inputs that `maskedDropout` creates. */
export const DROPOUT_INPUT = 'dropout.';

/** Multiplies by inputs 'dropout.0', 'dropout.1', ... in order of use; feed each an inverted-dropout mask of its shape. */
export function maskedDropout(): Dropout {
  let uses = 0;
  return (x) => mul(x, input(`${DROPOUT_INPUT}${uses++}`, x.shape));
}
