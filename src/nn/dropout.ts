/**
 * Inverted dropout with its randomness as an argument: the graph has one input per mask, the training loop fills it.
 */
import { input, mul, type Shape, type Tensor } from '../tensor/index.ts';

/** Zeroes some entries and scales the rest to keep the mean, or does nothing. */
export type Dropout = (x: Tensor) => Tensor;

/** Evaluation: nothing is dropped. */
export const noDropout: Dropout = (x) => x;

/** Masks that a program needs, in the order of their creation; fill each with `dropoutMask` of random.ts. */
export interface Masks {
  readonly rate: number;
  readonly inputs: { readonly name: string; readonly shape: Shape }[];
}

/**
 * Training: each use multiplies by a new input '<prefix>.<i>' of the shape of its tensor and notes it in `masks`.
 * A rate of 0 needs no inputs.
 * @throws RangeError for a rate outside [0, 1).
 */
export function dropoutInputs(rate: number, prefix = 'dropout'): { dropout: Dropout; masks: Masks } {
  if (!(rate >= 0 && rate < 1)) throw new RangeError(`A dropout rate must be in [0, 1); got ${rate}.`);
  const masks: Masks = { rate, inputs: [] };
  if (rate === 0) return { dropout: noDropout, masks };
  const dropout: Dropout = (x) => {
    const name = `${prefix}.${masks.inputs.length}`;
    masks.inputs.push({ name, shape: x.shape });
    return mul(x, input(name, x.shape));
  };
  return { dropout, masks };
}
