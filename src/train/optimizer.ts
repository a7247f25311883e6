/**
 * What training changes, in one memory that its threads share: parameters, moments, average, and a gradient for each
 * shard of the batch. Work on it is cut into as many segments as there are shards, so that it is the same for any number
 * of threads.
 */
import { NinaError } from '../errors.ts';
import type { ParameterGroup } from '../tensor/index.ts';
import { assembler } from '../tensor/wasm/assembler.ts';
import { instantiate, LARGEST_MEMORY, type SharedMemory, sharedMemory } from '../tensor/wasm/instantiate.ts';
import { type AdamwSettings, adamwArguments, adamwKernel, mergeKernel } from './adamw.ts';

/** Everything that a run must remember, each array as long as the parameter layout. */
export interface OptimizerState {
  readonly params: Float32Array;
  /** First and second moments of the gradient. */
  readonly m: Float32Array;
  readonly v: Float32Array;
  /** Exponential moving average of `params`. */
  readonly ema: Float32Array;
}

/** What a worker thread needs to open the same state. */
export interface OptimizerMemory {
  /** Numbers in the parameter layout. */
  readonly size: number;
  readonly shards: number;
  readonly memory: SharedMemory;
}

export interface Optimizer {
  readonly state: OptimizerState;
  /** Of each shard; after `merge` the first is that of the whole batch. */
  readonly gradients: readonly Float32Array[];
  /**
   * Adds up the shards' gradients, each times its weight.
   * @returns the sum of the squares of this segment's numbers, of the whole batch's gradient
   */
  merge(segment: number, weights: readonly number[]): number;
  /** One update of a segment by the batch's gradient. `step` counts updates from 0. */
  update(segment: number, step: number, groups: readonly ParameterGroup[], settings: AdamwSettings): void;
}

const WHAT = "The training's optimizer";
const ARRAYS = ['params', 'm', 'v', 'ema'] as const;
/** Numbers of a cache line: arrays begin on one, and segments end on one. */
const LINE = 16;

const padded = (size: number) => Math.ceil(size / LINE) * LINE;
/** Two float64 for each segment, in lines of their own, come first. */
const headBytes = (shards: number) => 4 * LINE * shards;

/** Zeroed memory for a state and its gradients. @throws NinaError when there is not so much of it. */
export async function optimizerMemory(size: number, shards: number): Promise<OptimizerMemory> {
  const bytes = headBytes(shards) + 4 * padded(size) * (ARRAYS.length + shards);
  if (bytes > LARGEST_MEMORY)
    throw new NinaError(
      `Training ${size} parameters takes ${bytes} bytes for parameters, gradients and moments, and the ${LARGEST_MEMORY} of ` +
        'one WebAssembly memory are the most there can be. Choose a smaller model.',
    );
  return { size, shards, memory: await sharedMemory(bytes, WHAT) };
}

/** @returns the memory with this state in it. */
export function fill({ size, memory, shards }: OptimizerMemory, state: OptimizerState): void {
  const arrays = views(memory, size, shards);
  ARRAYS.forEach((name, i) => {
    arrays[i].set(state[name]);
  });
}

/** The state before the first update: zero moments, the average equal to the weights. */
export const initialState = (params: Float32Array): OptimizerState => ({
  params,
  m: new Float32Array(params.length),
  v: new Float32Array(params.length),
  ema: params,
});

/** The kernels of this thread, on memory that others may work on too. */
export async function openOptimizer({ size, shards, memory }: OptimizerMemory): Promise<Optimizer> {
  const m = assembler();
  const [params, mean, square, ema, ...gradients] = offsets(size, shards);
  mergeKernel(m);
  adamwKernel(m, { params, m: mean, v: square, ema, gradient: gradients[0] });
  const { merge, adamw } = await instantiate<Kernels>(m.bytes('shared'), WHAT, memory);
  const arrays = views(memory, size, shards);
  const lines = padded(size) / LINE;
  const bound = (segment: number) => Math.floor((lines * segment) / shards) * LINE;
  return {
    state: { params: arrays[0], m: arrays[1], v: arrays[2], ema: arrays[3] },
    gradients: arrays.slice(ARRAYS.length),
    merge(segment, weights) {
      const [start, end] = [bound(segment), bound(segment + 1)];
      if (start === end) return 0;
      const squares = 4 * LINE * segment;
      const of = (gradient: number) => gradient + 4 * start;
      merge(
        of(gradients[0]),
        of(gradients[1] ?? gradients[0]),
        weights[0],
        weights[1] ?? 0,
        (end - start) / 4,
        squares,
      );
      for (let s = 2; s < shards; s++)
        merge(of(gradients[0]), of(gradients[s]), 1, weights[s], (end - start) / 4, squares);
      const [even, odd] = new Float64Array(memory.buffer, squares, 2);
      return even + odd;
    },
    update(segment, step, groups, settings) {
      const [from, to] = [bound(segment), Math.min(size, bound(segment + 1))];
      for (const { frozen, ...group } of groups) {
        const [start, end] = [Math.max(from, group.start), Math.min(to, group.end)];
        if (!frozen && start < end) adamw(4 * start, end - start, ...adamwArguments(step, settings, group));
      }
    },
  };
}

interface Kernels {
  merge(sum: number, part: number, ofSum: number, ofPart: number, vectors: number, squares: number): void;
  adamw(at: number, count: number, ...scalars: ReturnType<typeof adamwArguments>): void;
}

/** Where the state's arrays and then the gradients begin, in bytes. */
const offsets = (size: number, shards: number): number[] =>
  Array.from({ length: ARRAYS.length + shards }, (_, i) => headBytes(shards) + 4 * padded(size) * i);

const views = ({ buffer }: SharedMemory, size: number, shards: number): Float32Array[] =>
  offsets(size, shards).map((offset) => new Float32Array(buffer, offset, size));
