/**
 * Inverted dropout with its randomness as an argument: the graph has one input per mask, the training loop fills it.
 */
import { input, mul, type Shape, type Tensor } from '../tensor/index.ts';

export interface DropoutOptions {
  /** Share that is dropped; that of the whole part of the model unless given. */
  readonly rate?: number;
  /** Shape of the mask, which broadcasts to x: [B, 1, 1] keeps or drops whole rows. That of x unless given. */
  readonly shape?: Shape;
}

/** Zeroes some entries and scales the rest to keep the mean, or does nothing. */
export type Dropout = (x: Tensor, options?: DropoutOptions) => Tensor;

/** Evaluation: nothing is dropped. */
export const noDropout: Dropout = (x) => x;

/** A graph input that is a mask: fill it with `dropoutMask` of random.ts. */
export interface Mask {
  readonly name: string;
  readonly shape: Shape;
  readonly rate: number;
}

/** Masks that a program needs, in the order of their creation. */
export interface Masks {
  readonly inputs: Mask[];
}

/**
 * Training: each use multiplies by a new input '<prefix>.<i>' and notes it in `masks`. A rate of 0 needs no input.
 * @param rate of uses that give none of their own
 * @throws RangeError for a rate outside [0, 1), here and at each use.
 */
export function dropoutInputs(rate: number, prefix = 'dropout'): { dropout: Dropout; masks: Masks } {
  requireRate(rate);
  const masks: Masks = { inputs: [] };
  const dropout: Dropout = (x, options) => {
    const mask = {
      name: `${prefix}.${masks.inputs.length}`,
      shape: options?.shape ?? x.shape,
      rate: options?.rate ?? rate,
    };
    requireRate(mask.rate);
    if (mask.rate === 0) return x;
    masks.inputs.push(mask);
    return mul(x, input(mask.name, mask.shape));
  };
  return { dropout, masks };
}

function requireRate(rate: number): void {
  if (!(rate >= 0 && rate < 1)) throw new RangeError(`A dropout rate must be in [0, 1); got ${rate}.`);
}
