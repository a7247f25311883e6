/**
 * Running a graph: compile emits ONNX and opens an ONNX Runtime session; run feeds flat arrays and fills flat arrays.
 *
 * Outputs can be preallocated views of one flat array, so gradients land where the optimizer reads them. A run blocks
 * the event loop: train and infer in a process or worker that has nothing else to do.
 */
import { Lifetime } from '../lifetime.ts';
import { emit, engineOutput, type Signature } from '../tensor/onnx/emit.ts';
import { show, size, type Tensor } from '../tensor/tensor.ts';
import { type EngineTensor, loadEngine, openSession, withMemory } from './onnxruntime.ts';

export type Feed = Float32Array | BigInt64Array;

export interface Program extends Disposable {
  readonly signature: Signature;
  /** How many ONNX nodes the program has. */
  readonly nodes: number;
  /**
   * Runs the program.
   * @param feeds one flat array per input, row-major.
   * @param into preallocated arrays for outputs; the others are allocated.
   * @throws Error naming a missing, unknown or wrongly sized feed; NinaError after disposal.
   */
  run(feeds: Record<string, Feed>, into?: Record<string, Float32Array>): Promise<Record<string, Float32Array>>;
}

export interface CompileOptions {
  /** Named results. */
  readonly outputs: Record<string, Tensor>;
  /** Threads inside one operation. More than one helps large products and hurts small graphs. */
  readonly threads?: number;
}

/** Compiles the graph of the outputs into a program. */
export async function compile({ outputs, threads = 1 }: CompileOptions): Promise<Program> {
  const { model, signature, weights, nodes } = emit(outputs);
  const ort = await loadEngine();
  const session = await openSession(model, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    // Layout and fusion are decided when the graph is emitted; the runtime's own passes only cost start-up time.
    graphOptimizationLevel: 'basic',
    enableCpuMemArena: true,
    enableMemPattern: true,
    logSeverityLevel: 3,
  });
  // The runtime's tensors are wrappers of our arrays: make each once per array.
  const wrappers = new Map<string, { array: Feed; tensor: EngineTensor }>();
  const wrap = (name: string, array: Feed, shape: readonly number[]): EngineTensor => {
    const known = wrappers.get(name);
    if (known?.array === array) return known.tensor;
    const tensor =
      array instanceof BigInt64Array ? new ort.Tensor('int64', array, shape) : new ort.Tensor('float32', array, shape);
    wrappers.set(name, { array, tensor });
    return tensor;
  };
  const fedWeights = Object.fromEntries(
    Object.entries(weights).map(([name, { data, shape }]) => [name, wrap(name, data, shape)]),
  );
  const inputNames = Object.keys(signature.inputs);
  const outputNames = Object.keys(signature.outputs);
  const life = new Lifetime('The program', 'compile it again', () => {
    wrappers.clear();
    void session.release();
  });
  const run = async (feeds: Record<string, Feed>, into: Record<string, Float32Array>) => {
    for (const name of Object.keys(feeds))
      if (!(name in signature.inputs))
        throw new Error(`The program has no input ${name}; it has ${inputNames.join(', ')}.`);
    const ins: Record<string, EngineTensor> = { ...fedWeights };
    for (const name of inputNames) {
      const { shape, dtype } = signature.inputs[name];
      const array = feeds[name];
      if (!array) throw new Error(`Input ${name} ${show(shape)} was not fed.`);
      if (array.length !== size(shape) || array instanceof BigInt64Array !== (dtype === 'int64'))
        throw new Error(
          `Input ${name} needs ${size(shape)} ${dtype} numbers for shape ${show(shape)}; got ${array.length} in a ${array.constructor.name}.`,
        );
      ins[name] = wrap(name, array, shape);
    }
    const results: Record<string, Float32Array> = {};
    const outs: Record<string, EngineTensor> = {};
    for (const name of outputNames) {
      const { shape } = signature.outputs[name];
      const array = into[name] ?? new Float32Array(size(shape));
      if (array.length !== size(shape))
        throw new Error(`Output ${name} ${show(shape)} needs an array of ${size(shape)}; got ${array.length}.`);
      results[name] = array;
      const written = engineOutput(name);
      outs[written] = wrap(written, array, shape);
    }
    await withMemory('run a program', () => session.run(ins, outs));
    return results;
  };

  return {
    signature,
    nodes,
    run: (feeds, into = {}) => life.during(() => run(feeds, into)),
    [Symbol.dispose]: () => life[Symbol.dispose](),
  };
}

/**
 * Programs of one function for several sizes (batch, chunk length), compiled on first use and kept until disposal.
 */
export class ProgramCache implements Disposable {
  private readonly programs = new Map<string, Promise<Program>>();
  private readonly build: (...sizes: number[]) => CompileOptions;
  private readonly life = new Lifetime('The cache of programs', 'make it again', () => {
    // A program still being compiled is disposed of when it is ready; that it failed is told to whoever asked for it.
    for (const program of this.programs.values())
      program.then(
        (ready) => ready[Symbol.dispose](),
        () => {},
      );
    this.programs.clear();
  });

  /** @param build the graph for given sizes */
  constructor(build: (...sizes: number[]) => CompileOptions) {
    this.build = build;
  }

  /** @throws NinaError after disposal. */
  async get(...sizes: number[]): Promise<Program> {
    this.life.check();
    const shape = sizes.join('x');
    const known = this.programs.get(shape);
    if (known) return known;
    const compiled = compile(this.build(...sizes));
    this.programs.set(shape, compiled);
    return compiled;
  }

  [Symbol.dispose](): void {
    this.life[Symbol.dispose]();
  }
}
