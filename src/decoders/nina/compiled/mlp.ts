/**
 * The perceptrons, folded. Scale and shift net are twins; their hidden layers are only read through LayerNorm, so all
 * that writes to them is centred, each twin by itself. The norm's affine map stays: GELU bends right after it.
 */
import type { NDArray } from '../../../tensor/tree.ts';
import type { NinaConfig } from '../config.ts';
import type { MlpParams } from '../mlp.ts';
import { type Affine, beside, centred, fromVector, fromWeight, type Matrix, toAffine } from './matrix.ts';

/** One conditioner. Twins are (scale, shift). */
export interface MlpNet {
  /**
   * x1 [D/2] to both hidden layers [2H]. Multiplied into the matrix before it, which algebra allows, it would be twice as
   * many numbers to read.
   */
  readonly first: Affine;
  /** x <- gelu(x / rms(x) * weight + bias) W + b, for each hidden layer of each twin; the last W is to D/2. */
  readonly hidden: readonly (readonly [MlpHidden, MlpHidden])[];
}

export interface MlpHidden {
  /** [H] each: the affine map of the norm. */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  readonly linear: Affine;
}

export function foldMlp(
  { affine_dim: H }: NinaConfig,
  p: MlpParams<NDArray>,
): {
  /** cond [C] to the hidden layers of all nets [n * 2H], biases included. */
  cond: Affine;
  nets: readonly MlpNet[];
} {
  const pair = <T>(f: (k: 0 | 1) => T): readonly [T, T] => [f(0), f(1)];
  const firsts = p.layers.map(({ first }) => beside(...pair((k) => centred(fromWeight(first, k)))));
  const each = p.layers.flatMap((_, i) => pair((k) => 2 * i + k));
  const cond = toAffine(
    beside(...each.map((k) => centred(fromWeight(p.cond.weight, k)))),
    beside(...each.map((k) => centred(fromVector(p.cond.bias, H, k)))),
  );
  const nets = p.layers.map(
    ({ hidden }, i): MlpNet => ({
      first: toAffine(firsts[i]),
      hidden: hidden.map(({ norm, linear }, depth) =>
        pair((k) => {
          const [inputs, outputs] = [linear.weight.shape[2], linear.weight.shape[1]];
          const last = depth === hidden.length - 1;
          const prepare = last ? (m: Matrix) => m : centred;
          return {
            weight: norm.weight.data.slice(k * inputs, (k + 1) * inputs),
            bias: norm.bias.data.slice(k * inputs, (k + 1) * inputs),
            linear: toAffine(prepare(fromWeight(linear.weight, k)), prepare(fromVector(linear.bias, outputs, k))),
          };
        }),
      ),
    }),
  );
  return { cond, nets };
}
