/**
 * The decoders of the paper's latency table, at the paper's sizes, with random weights: how long a decode takes does not
 * depend on the numbers. The action module alone, batch 1: from the encoder's features to a chunk of actions.
 */
import { CONFIGURATIONS } from '../decoders/flower/index.ts';
import { type DecoderConfig, decoderOf, decoderSchema, drawModel } from '../decoders/index.ts';
import { initPool, pool } from '../decoders/pool.ts';
import { cpu } from '../engine/index.ts';
import { NinaError } from '../errors.ts';
import { fold, type Key, normals } from '../random.ts';
import { freeze, input, layoutOf, leaves, materialise, type Shape, type Tensor } from '../tensor/index.ts';
import type { Contestant } from './measure.ts';
import { type Weights, weightsOf } from './weights.ts';

/** One model of the comparison. */
export interface Model {
  readonly name: string;
  readonly config: DecoderConfig;
  /** S, the tokens of the encoder, and W, their width: a diffusion decoder attends to each. */
  readonly tokens: number;
  readonly width: number;
}

/**
 * On LIBERO the reference gives Florence-2 two views of 112 pixels, 4 x 4 tokens and their mean each (34), its own prompt
 * token (1), and the instruction in its prompt: 32 to 44 tokens of BART, so 67 to 79 in all.
 */
export const PAPER_TOKENS = 2 * (4 * 4 + 1) + 1 + 37;
/** Width of Florence-2's tokens. */
export const PAPER_WIDTH = 1024;

/** The paper's table (arXiv 2508.16845), under the paper's names. */
export const PAPER: readonly Model[] = [
  { name: 'Diffusion 330M', config: { name: 'flower', ...CONFIGURATIONS['diffusion-330m'] } as const },
  { name: 'Diffusion 31M', config: { name: 'flower', ...CONFIGURATIONS['diffusion-31m'] } as const },
  {
    name: 'NinA Transformer 38M',
    config: { name: 'nina', backbone: 'trans', n_layers: 18, affine_dim: 256, block_depth: 3 } as const,
  },
  { name: 'NinA MLP 2M', config: { name: 'nina', backbone: 'mlp', n_layers: 28, affine_dim: 64 } as const },
].map(({ name, config }) => ({ name, config: decoderSchema.parse(config), tokens: PAPER_TOKENS, width: PAPER_WIDTH }));

/** Of ONNX Runtime; WebAssembly runs on the caller's. */
const THREADS = 1;

/** A model on one backend, ready to decode. */
export interface Decoder extends Contestant, Disposable {
  /** What runs it: 'graph' is the decoder as trained, on ONNX Runtime with its weights frozen. */
  readonly backend: string;
  readonly threads: number;
  /** Of what is measured: pooling the tokens, which some decoders need before, is apart. */
  readonly params: number;
  readonly weights: Weights;
  /** The largest difference of an action from what 'graph' answers, in largest actions: random weights leave [-1, 1]. */
  readonly maxDifference: number;
}

/** Floating-point sums in another order, through a flow; and the rounding of weights to 8 bits. Garbage differs by more. */
const tolerance = (backend: string) => (backend.endsWith('int8') ? 0.05 : 1e-4);

/**
 * The model on each of its backends, with weights drawn from the key.
 * @throws NinaError if a backend does not answer what the graph answers.
 */
export async function* open({ name, config, tokens, width }: Model, key: Key): AsyncGenerator<Decoder> {
  const decoder = decoderOf(config);
  const model = drawModel(decoder.blueprint(key, config, width));
  const bound = decoder.bind(config, model.buffers, freeze(model.params), freeze(decoder.derived(config, model)));
  const z = input('z', [1, config.chunk_length, config.action_dim]);
  const seen = input('seen', decoder.contextShape(config, 1, tokens, width, false));
  const feeds = numbersFor({ z, seen }, key);
  const size = leaves<{ shape: Shape }>(model.params)
    .filter(([path]) => !path.startsWith('pool.'))
    .reduce((n, [, { shape }]) => n + count(shape), 0);
  const reference = await graph(name, size, bound.sample(z, seen), feeds);
  yield reference;
  const { folding } = decoder;
  if (!folding) return;

  const expected = await reference.run();
  for (const backend of folding.backends) {
    const compiled = await folding.compile(config, model, { backend, engine: cpu, maxBatch: 1, threads: THREADS });
    const run = async () => (await compiled.sample(feeds.z, feeds.seen, 1)).actions;
    const maxDifference = difference(await run(), expected);
    if (!(maxDifference <= tolerance(backend)))
      throw new NinaError(
        `${name} on the backend ${backend} answers other actions than the graph: they differ by ${maxDifference} of the largest, at most ${tolerance(backend)} is rounding. Its time would mean nothing.`,
      );
    const weights = { residentBytes: compiled.weightBytes, readBytes: compiled.weightBytes };
    const dispose = () => compiled[Symbol.dispose]();
    yield { name, backend, threads: THREADS, params: size, weights, maxDifference, run, [Symbol.dispose]: dispose };
  }
}

/** What the decoders that are conditioned on one vector [C] need before: the mean of S tokens [W], projected. */
export function openPooling(tokens: number, W: number, C: number, key: Key): Promise<Decoder> {
  const params = materialise(initPool(key, W, C));
  const seen = input('seen', [1, tokens, W]);
  return graph('pooling', layoutOf(params).size, pool(freeze(params), seen), numbersFor({ seen }, key));
}

const count = (shape: Shape) => shape.reduce((a, b) => a * b, 1);

/** Normal numbers for each input. */
function numbersFor(inputs: Record<string, Tensor>, key: Key): Record<string, Float32Array> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape }]) => [name, normals(fold(key, 'input', name), count(shape))]),
  );
}

/** A graph on ONNX Runtime. Not every decoder takes noise. */
async function graph(name: string, params: number, result: Tensor, feeds: Record<string, Float32Array>) {
  const program = await cpu.compile({ result }, { threads: THREADS, weights: 'packed' });
  const fed = Object.fromEntries(Object.entries(feeds).filter(([input]) => input in program.signature.inputs));
  return {
    ...{ name, backend: 'graph', threads: THREADS, params, weights: weightsOf([result]), maxDifference: 0 },
    run: async () => (await program.run(fed)).result,
    [Symbol.dispose]: () => program[Symbol.dispose](),
  };
}

/** NaN if a number is not one. */
function difference(actual: Float32Array, expected: Float32Array): number {
  const largest = expected.reduce((sofar, v) => Math.max(sofar, Math.abs(v)), 0);
  return actual.reduce((sofar, v, i) => Math.max(sofar, Math.abs(v - expected[i])), 0) / largest;
}
