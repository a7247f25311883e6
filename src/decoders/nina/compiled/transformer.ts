/**
 * The Transformer conditioner, folded. Its residual stream is only ever read through LayerNorm, so all that writes to it
 * (input, attention, condition) is centred. Per sub-block, with n the norm without its affine map:
 *   x <- x + attention(n(x) Wqkv + b) Wout + cond term,
 * where b is zero but for the queries (a constant added to all keys moves all scores of a query alike; one added to all
 * values comes out of the softmax unchanged and is in the cond term), and 1/sqrt(d) is in the queries.
 */
import type { NDArray } from '../../../tensor/tree.ts';
import type { NinaConfig } from '../config.ts';
import type { TransformerParams } from '../transformer.ts';
import {
  type Affine,
  beside,
  centred,
  columns,
  fromVector,
  fromWeight,
  type Matrix,
  multiply,
  plus,
  scaleRows,
  toAffine,
} from './matrix.ts';

/** One conditioner. */
export interface TransformerNet {
  /** A token [A] to [H]. */
  readonly input: Affine;
  readonly blocks: readonly {
    /** [H] to queries, keys, values [3H], each head by head. */
    readonly qkv: Affine;
    /** [H, H], without bias. */
    readonly out: Affine;
  }[];
  /** [H] to the hidden layers of both heads (scale, shift) [2 * 2H]; GELU follows. */
  readonly widen: Affine;
  /** Per head [2H] to [A]. */
  readonly narrow: readonly [Affine, Affine];
}

type Layer = TransformerParams<NDArray>['layers'][number];
type Block = Layer['blocks'][number];

export function foldTransformer(
  { affine_dim: H, n_heads }: NinaConfig,
  p: TransformerParams<NDArray>,
): {
  /** cond [C] to what each sub-block adds to every token, layer by layer [n * depth * H]; all biases included. */
  cond: Affine;
  nets: readonly TransformerNet[];
} {
  const blocks = p.layers.flatMap((layer) => layer.blocks.map((block) => foldBlock(block, H, H / n_heads)));
  return {
    cond: toAffine(beside(...blocks.map((b) => b.cond)), beside(...blocks.map((b) => b.bias))),
    nets: p.layers.map((layer, i) => ({
      input: toAffine(centred(fromWeight(layer.input.weight)), centred(fromVector(layer.input.bias, H))),
      blocks: blocks.slice(i * layer.blocks.length, (i + 1) * layer.blocks.length),
      ...foldHeads(layer, H),
    })),
  };
}

function foldBlock({ norm, self, cross }: Block, H: number, depth: number) {
  const [raw, out] = [fromWeight(self.qkv.weight), fromWeight(self.out.weight)];
  const normed = plus(fromVector(self.qkv.bias, 3 * H), multiply(fromVector(norm.bias, H), raw));
  const qkv = scaleRows(raw, norm.weight.data);
  const scale = 1 / Math.sqrt(depth);
  const scaled = (m: Matrix): Matrix => ({ ...m, data: m.data.map((v, at) => (at % (3 * H) < H ? v * scale : v)) });
  const queryBias: Matrix = { ...normed, data: normed.data.map((v, at) => (at < H ? v * scale : 0)) };
  // cond -> condProj -> value -> out, and the biases on the way; then those of self-attention.
  const told = multiply(fromWeight(cross.value.weight), fromWeight(cross.out.weight));
  const bias = plus(
    multiply(fromVector(cross.condProj.bias, H), told),
    multiply(fromVector(cross.value.bias, H), fromWeight(cross.out.weight)),
    fromVector(cross.out.bias, H),
    multiply(columns(normed, 2 * H, 3 * H), out),
    fromVector(self.out.bias, H),
  );
  return {
    qkv: toAffine(scaled(qkv), queryBias),
    out: toAffine(centred(out)),
    cond: centred(multiply(fromWeight(cross.condProj.weight), told)),
    bias: centred(bias),
  };
}

function foldHeads({ norm, widen, narrow }: Layer, H: number): Pick<TransformerNet, 'widen' | 'narrow'> {
  const A = narrow.weight.shape[1];
  const raw = beside(fromWeight(widen.weight, 0), fromWeight(widen.weight, 1));
  const bias = plus(fromVector(widen.bias, 4 * H), multiply(fromVector(norm.bias, H), raw));
  const head = (k: number) => toAffine(fromWeight(narrow.weight, k), fromVector(narrow.bias, A, k));
  return { widen: toAffine(scaleRows(raw, norm.weight.data), bias), narrow: [head(0), head(1)] };
}
