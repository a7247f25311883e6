/**
 * A program on ONNX Runtime, whichever package of it: the graph is written as ONNX, a session opened, and each run
 * feeds flat arrays and fills flat arrays.
 *
 * The runtime answers with arrays of its own, also where it is given some to fill; so many results are asked for as one,
 * and copied where they are wanted: gradients into the views of one flat array that the optimizer reads. In Node a run
 * blocks the event loop: train and infer in a process or worker that has nothing else to do.
 */
import { Lifetime } from '../lifetime.ts';
import { type Emitted, engineOutput } from '../tensor/onnx/emit.ts';
import { size } from '../tensor/tensor.ts';
import { checkRun } from './check.ts';
import type { Feed, Program } from './engine.ts';
import { sumRows } from './row-sums.ts';

/** What of ONNX Runtime's module is used: the packages for Node and for the web have it alike. */
export interface OnnxRuntime {
  readonly Tensor: new (type: 'float32' | 'int64', data: never, shape: readonly number[]) => RuntimeTensor;
  readonly InferenceSession: {
    /** @param model its bytes, or where they are */
    create(model: Uint8Array | string, options: SessionOptions): Promise<RuntimeSession>;
  };
}

export interface RuntimeTensor {
  readonly data: unknown;
}

export interface RuntimeSession {
  run(feeds: Readonly<Record<string, RuntimeTensor>>): Promise<Readonly<Record<string, RuntimeTensor>>>;
  release(): Promise<void>;
}

export interface SessionOptions {
  readonly executionProviders: readonly (string | { name: string; forceCpuNodeNames: readonly string[] })[];
  readonly intraOpNumThreads: number;
  readonly interOpNumThreads: 1;
  readonly executionMode: 'sequential';
  /** Layout and fusion are decided when the graph is emitted; the runtime's own passes only cost start-up time. */
  readonly graphOptimizationLevel: 'basic';
  readonly enableCpuMemArena: boolean;
  readonly enableMemPattern: boolean;
  /** Errors alone. */
  readonly logSeverityLevel: 3;
  /** The bytes of weights that are kept by the session and not in the model. */
  readonly externalData: { readonly path: string; readonly data: Uint8Array }[];
}

/** How to open a session for what was emitted. */
export function sessionOptions({ external, coarse }: Emitted, provider: string, threads: number): SessionOptions {
  return {
    executionProviders: [
      provider === 'webgpu' && coarse.length > 0 ? { name: provider, forceCpuNodeNames: coarse } : provider,
    ],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'basic',
    enableCpuMemArena: true,
    enableMemPattern: true,
    logSeverityLevel: 3,
    externalData: Object.entries(external).map(([path, { data }]) => ({
      path,
      data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    })),
  };
}

/** How a package of the runtime runs a session. */
export interface Running {
  /** Called with each run. */
  around<T>(run: () => Promise<T>): Promise<T>;
  /** Frees an array that nobody has any more. */
  free?(array: Float32Array): void;
}

/** The program of an open session. */
export function sessionProgram(
  { Tensor }: Pick<OnnxRuntime, 'Tensor'>,
  session: RuntimeSession,
  { signature, nodes, weights, rowSums, joined }: Emitted,
  { around, free = () => {} }: Running,
): Program {
  // The runtime's tensors are wrappers of our arrays: make each once per array.
  const wrappers = new Map<string, { array: Feed; tensor: RuntimeTensor }>();
  const wrap = (name: string, array: Feed, shape: readonly number[]): RuntimeTensor => {
    const known = wrappers.get(name);
    if (known?.array === array) return known.tensor;
    const tensor = new Tensor(array instanceof BigInt64Array ? 'int64' : 'float32', array as never, shape);
    wrappers.set(name, { array, tensor });
    return tensor;
  };
  const ownFeeds = Object.fromEntries(
    Object.entries(weights).map(([name, { data, shape }]) => [name, wrap(name, data, shape)]),
  );
  const life = new Lifetime('The program', 'compile it again', () => {
    wrappers.clear();
    void session.release();
  });
  const run = async (feeds: Record<string, Feed>, into: Record<string, Float32Array>) => {
    checkRun(signature, feeds, into);
    const ins: Record<string, RuntimeTensor> = { ...ownFeeds };
    for (const [name, { shape }] of Object.entries(signature.inputs)) ins[name] = wrap(name, feeds[name], shape);
    const answers = await around(() => session.run(ins));
    const whole = joined === undefined ? undefined : (answers[joined].data as Float32Array);
    const results: Record<string, Float32Array> = {};
    const kept = new Set<Float32Array>();
    let start = 0;
    for (const [name, { shape }] of Object.entries(signature.outputs)) {
      const rows = rowSums[name];
      const end = start + size(rows?.rows ?? shape);
      const answer = whole ? whole.subarray(start, end) : (answers[engineOutput(name)].data as Float32Array);
      start = end;
      if (rows) results[name] = sumRows(into[name] ?? new Float32Array(size(shape)), answer, feeds[rows.ids]);
      else if (into[name]) {
        into[name].set(answer);
        results[name] = into[name];
      } else {
        results[name] = answer;
        kept.add(whole ?? answer);
      }
    }
    for (const { data } of Object.values(answers)) if (!kept.has(data as Float32Array)) free(data as Float32Array);
    return results;
  };
  return {
    signature,
    nodes,
    run: (feeds, into = {}) => life.during(() => run(feeds, into)),
    [Symbol.dispose]: () => life[Symbol.dispose](),
  };
}
