/**
 * A trained decoder folded for inference: the same function with fewer numbers and fewer steps, as plain data. Exact
 * algebra in float64, rounded to float32 once:
 *
 * - the inverse of a PLU and the permutation beside it are one matrix (mixes.ts);
 * - all that depends on the condition alone, in all layers, is one product (cond);
 * - what only LayerNorm reads is written centred, so its mean is 0 and only the variance is left to find; its affine
 *   map goes into the next linear where nothing bends in between (transformer.ts);
 * - cross-attention over one key is a linear map of the condition; the bias of self-attention's keys cannot change a
 *   softmax and that of its values passes through it.
 *
 * Two targets read it: an ONNX graph (graph.ts) and WebAssembly (wasm/). Letters as in ../nina.ts.
 */

import type { NDArray } from '../../../tensor/tree.ts';
import type { NinaConfig } from '../config.ts';
import type { Model, Params } from '../nina.ts';
import type { Affine } from './matrix.ts';
import { foldMixes, type Mixes } from './mixes.ts';
import { foldMlp, type MlpNet } from './mlp.ts';
import { foldTransformer, type TransformerNet } from './transformer.ts';

export interface Folded extends Mixes {
  readonly config: NinaConfig;
  /** cond [C] to what all layers hear of it: 2H per layer (mlp), or H per sub-block (trans), layer by layer. */
  readonly cond: Affine;
  readonly nets: Nets;
}

export type Nets =
  | { readonly kind: 'mlp'; readonly layers: readonly MlpNet[] }
  | { readonly kind: 'trans'; readonly layers: readonly TransformerNet[] };

/** Folds a decoder. @throws Error if config and model disagree, or a PLU is singular. */
export function foldNina(config: NinaConfig, { params, buffers }: Model): Folded {
  const mixes = foldMixes(config, params.plu, buffers);
  const { cond, nets } = foldNets(config, params);
  return { config, cond, nets, ...mixes };
}

function foldNets(config: NinaConfig, { mlp, trans }: Params<NDArray>): Pick<Folded, 'cond' | 'nets'> {
  if (config.backbone === 'mlp' && mlp) {
    const { cond, nets } = foldMlp(config, mlp);
    return { cond, nets: { kind: 'mlp', layers: nets } };
  }
  if (config.backbone === 'trans' && trans) {
    const { cond, nets } = foldTransformer(config, trans);
    return { cond, nets: { kind: 'trans', layers: nets } };
  }
  const kinds = Object.entries({ mlp, trans }).flatMap(([kind, found]) => (found ? [kind] : []));
  throw new Error(`The configuration says backbone ${config.backbone}, but the parameters are of ${kinds.join(', ')}.`);
}

/** Bytes of weights that one decode reads in float32; a direction reads its own mixes, and all nets. */
export function weightBytes({ sample, cond, nets }: Folded): number {
  const mixes = [...sample.steps.map(({ mix }) => mix), sample.finish].flatMap((mix) =>
    'order' in mix ? [] : [mix.matrix],
  );
  const inNets =
    nets.kind === 'mlp'
      ? nets.layers.flatMap(({ first, hidden }) => [first, ...hidden.flat().map(({ linear }) => linear)])
      : nets.layers.flatMap(({ input, blocks, widen, narrow }) => [
          input,
          ...blocks.flatMap(({ qkv, out }) => [qkv, out]),
          widen,
          ...narrow,
        ]);
  const numbers = [cond, ...mixes, ...inNets].map(({ weight, bias }) => weight.length + (bias?.length ?? 0));
  return 4 * numbers.reduce((a, b) => a + b, 0);
}
