/**
 * The engine that needs none: a forward graph of modest size as one generated WebAssembly module. Fixed-width SIMD and
 * arithmetic alone, nothing imported, nothing allocated per run: the same bits in every Node and every browser.
 */
import { NinaError } from '../errors.ts';
import { Lifetime } from '../lifetime.ts';
import { size, type Tensor } from '../tensor/tensor.ts';
import { instantiate } from '../tensor/wasm/instantiate.ts';
import { checkRun } from './check.ts';
import type { CompileOptions, Engine, Feed, Program } from './engine.ts';
import { type GraphInput, graphModule } from './wasm/program.ts';

/** Weights are always 'packed'. Derivatives of norms are refused, and graphs that need more than 4 GiB. One thread. */
export const wasm: Engine = { name: 'WebAssembly', device: 'wasm', compile };

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Computes what depends on weights alone. */
  prepare(): void;
  run(): void;
}

async function compile(outputs: Record<string, Tensor>, { weights }: CompileOptions = {}): Promise<Program> {
  if (weights === 'int8')
    throw new NinaError(
      "Products of 8 bits are ONNX Runtime's: WebAssembly has none for graphs. Ask for weights 'packed'.",
    );
  if (weights === 'shared')
    throw new NinaError(
      "WebAssembly has its own memory: weights are copied when a graph is compiled. Ask for weights 'packed', or run it on ONNX Runtime.",
    );
  const module = graphModule(outputs);
  const { memory, prepare, run } = await instantiate<Exports>(module.bytes, 'The compiled graph');
  const floats = (buffer: { address: number; numbers: number }) =>
    new Float32Array(memory.buffer, buffer.address, buffer.numbers);
  for (const buffer of module.fills) buffer.fill?.(floats(buffer));
  prepare();
  const writers = Object.fromEntries(
    module.inputs.map((input) => [input.tensor.attrs.name, writer(input, memory.buffer)]),
  );
  const results = Object.entries(module.outputs).map(([name, buffer]) => [name, floats(buffer)] as const);
  const signature = {
    inputs: Object.fromEntries(
      module.inputs.map(({ tensor: { attrs, shape, dtype } }) => [attrs.name, { shape, dtype }]),
    ),
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, { shape }]) => [name, { shape }])),
  };
  const life = new Lifetime('The program', 'compile it again');
  return {
    signature,
    nodes: module.steps,
    // All of it happens before the promise is answered, so that two calls never share the memory.
    run: (feeds, into = {}) =>
      life.during(async () => {
        checkRun(signature, feeds, into);
        for (const [name, write] of Object.entries(writers)) write(feeds[name]);
        run();
        return Object.fromEntries(
          results.map(([name, result]) => {
            const out = into[name] ?? new Float32Array(result.length);
            out.set(result);
            return [name, out];
          }),
        );
      }),
    [Symbol.dispose]: () => life[Symbol.dispose](),
  };
}

/** Copies a feed into memory; ids become integers of 32 bits. @throws Error naming an id that is none. */
function writer({ tensor: { attrs, shape }, buffer, ids }: GraphInput, memory: ArrayBuffer) {
  const n = size(shape);
  const floats = new Float32Array(memory, buffer.address, n);
  const integers = new Int32Array(memory, buffer.address, n);
  return (feed: Feed) => {
    if (feed instanceof Float32Array) return floats.set(feed);
    for (let i = 0; i < n; i++) {
      if (feed[i] < 0n || feed[i] >= ids)
        throw new Error(
          `Input ${attrs.name} holds the id ${feed[i]}; what it is looked up in has ids 0 to ${ids - 1}.`,
        );
      integers[i] = Number(feed[i]);
    }
  };
}
