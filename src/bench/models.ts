/**
 * The decoders of the paper's latency table, at the paper's sizes, with random weights: how long a decode takes does not
 * depend on the numbers. The action module alone, batch 1: from the encoder's features to a chunk of actions.
 */
import type { z } from 'zod';
import * as flower from '../decoders/flower/index.ts';
import * as nina from '../decoders/nina/index.ts';
import { initPool, pool } from '../decoders/pool.ts';
import { fold, type Key, normals } from '../random.ts';
import { compile, constant, input, layoutOf, mapTree, type NDArray, type Shape, type Tensor } from '../tensor/index.ts';
import type { Contestant } from './measure.ts';
import { type Weights, weightsOf } from './weights.ts';

/** One model of the comparison. */
export type Model = { readonly name: string } & (
  | { readonly decoder: 'flower'; readonly config: z.input<typeof flower.flowerSchema> }
  | { readonly decoder: 'nina'; readonly config: z.input<typeof nina.ninaSchema> }
);

/** The paper's table (arXiv 2508.16845). */
export const PAPER: readonly Model[] = [
  { name: 'Diffusion 330M', decoder: 'flower', config: flower.CONFIGURATIONS['diffusion-330m'] },
  { name: 'Diffusion 31M', decoder: 'flower', config: flower.CONFIGURATIONS['diffusion-31m'] },
  {
    name: 'NinA Transformer 38M',
    decoder: 'nina',
    config: { backbone: 'trans', n_layers: 18, affine_dim: 256, block_depth: 3 },
  },
  { name: 'NinA MLP 2M', decoder: 'nina', config: { backbone: 'mlp', n_layers: 28, affine_dim: 64 } },
];

/**
 * S, the encoder's tokens that a diffusion decoder attends to. FLOWER on LIBERO gives Florence-2 two views of 7 x 7
 * patches and their mean (100), its own prompt token (1), and the instruction in its minimal prompt: about 36 tokens of
 * BART for "pick up the alphabet soup and place it in the basket".
 */
export const TOKENS = 2 * (7 * 7 + 1) + 1 + 36;

/** A model on one backend, ready to decode. */
export interface Decoder extends Contestant, Disposable {
  /** What runs it: 'graph' is the decoder as trained, on ONNX Runtime with its weights frozen. */
  readonly backend: string;
  readonly threads: number;
  readonly params: number;
  readonly weights: Weights;
  readonly run: () => unknown;
}

export interface OpenOptions {
  readonly key: Key;
  /** S. */
  readonly tokens: number;
}

/** The model on each of its backends, with weights drawn from the key. */
export async function open(model: Model, { key, tokens }: OpenOptions): Promise<Decoder[]> {
  if (model.decoder === 'flower') {
    const config = flower.flowerSchema.parse(model.config);
    const inputs = { z: chunkShape(config), features: [1, tokens, config.embed_dim] };
    const actions = flower.sample(config, mapTree(flower.init(key, config), freeze), ...symbolsOf(inputs));
    return [await graph(model.name, flower.countParameters(config), actions, inputs, key)];
  }
  const config = nina.ninaSchema.parse(model.config);
  const { params, buffers } = nina.init(key, config);
  const inverses = nina.pluInverse(config, { params, buffers });
  const inputs = { z: chunkShape(config), cond: [1, config.cond_dim] };
  const actions = nina.sample(
    config,
    buffers,
    mapTree(params, freeze),
    ...symbolsOf(inputs),
    inverses && freeze(inverses),
  );
  return [await graph(model.name, layoutOf(params).size, actions, inputs, key)];
}

/** What the decoders that are conditioned on one vector need before: the mean of the tokens, projected. */
export async function openPooling(key: Key, tokens: number, width: number, condDim: number): Promise<Decoder> {
  const params = initPool(key, width, condDim);
  const inputs = { tokens: [1, tokens, width] };
  const [features] = symbolsOf(inputs);
  return graph('pooling', layoutOf(params).size, pool(mapTree(params, freeze), features!), inputs, key);
}

const chunkShape = (c: { chunk_length: number; action_dim: number }) => [1, c.chunk_length, c.action_dim];
const freeze = ({ data, shape }: NDArray): Tensor => constant(data, shape);
const symbolsOf = <K extends string>(shapes: Record<K, Shape>) =>
  Object.entries<Shape>(shapes).map(([name, shape]) => input(name, shape)) as [Tensor, Tensor];

/** A graph on ONNX Runtime, its inputs (normal numbers) and its result preallocated. */
async function graph(
  name: string,
  params: number,
  result: Tensor,
  inputs: Record<string, Shape>,
  key: Key,
): Promise<Decoder> {
  const threads = 1;
  const program = await compile({ outputs: { result }, threads });
  const size = (shape: Shape) => shape.reduce((a, b) => a * b, 1);
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([label, shape]) => [label, normals(fold(key, 'input', label), size(shape))]),
  );
  const into = { result: new Float32Array(size(result.shape)) };
  return {
    name,
    backend: 'graph',
    threads,
    params,
    weights: weightsOf([result]),
    run: () => program.run(feeds, into),
    [Symbol.dispose]: () => program[Symbol.dispose](),
  };
}
