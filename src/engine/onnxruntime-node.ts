/**
 * ONNX Runtime for Node, imported here and nowhere else (`scripts/check-imports.mjs`), so that nothing can
 * load it before its telemetry is settled, importing this package loads no native code, and its failures become sentences.
 */
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as os from 'node:os';
import * as path from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type * as Ort from 'onnxruntime-node';
import { requireAddressSpace } from '../address-space.ts';
import { NinaError } from '../errors.ts';
import { fileError } from '../files.ts';
import { type EmitOptions, emit } from '../tensor/onnx/emit.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { CompileOptions, Device, Engine, NodeDevice } from './engine.ts';
import { type OnnxRuntime, type Running, type SessionOptions, sessionOptions, sessionProgram } from './onnxruntime.ts';
import { settleTelemetry } from './telemetry.ts';

/** The package as it is, for what the engine does not do: running a model of another program. */
export type NodeRuntime = typeof Ort;
type Runtime = NodeRuntime & OnnxRuntime;
type Outputs = Record<string, Tensor>;

const NAME = `onnxruntime-node ${createRequire(import.meta.url)('onnxruntime-node/package.json').version}`;

/** Library, thread pool and a small arena. */
const LIBRARY_BYTES = 350e6;
/** Of a session beside its weights. */
const SESSION_BYTES = 100e6;

/**
 * ONNX Runtime for Node, loaded when a first program is compiled.
 * @param device 'webgpu' runs on the graphics card that Vulkan, Metal or Direct3D finds.
 */
export function onnxruntime({ device = 'cpu' }: { readonly device?: NodeDevice } = {}): Engine {
  return {
    name: NAME,
    device,
    async compile(outputs, { threads = 1, weights = 'shared' } = {}) {
      // A card joins no more pieces than its shaders take buffers.
      const options = { weights, joined: device === 'cpu' };
      const ort = await loadRuntime();
      const { session, emitted } = await (inFiles(weights) ? openFiles : open)(ort, outputs, options, device, threads);
      return sessionProgram(ort, session, emitted, RUNNING);
    },
  };
}

// Functions of their own: a program must not hold the model, of which its session has a copy.

/** The model in memory. */
async function open(ort: Runtime, outputs: Outputs, options: EmitOptions, device: NodeDevice, threads: number) {
  const emitted = emit(outputs, options);
  const { model, external } = emitted;
  // The engine parses the model and copies what it keeps of weights.
  const kept = Object.values(external).reduce((bytes, { data }) => bytes + data.byteLength, model.length);
  return { emitted, session: await create(ort, model, 2 * kept, sessionOptions(emitted, device, threads), device) };
}

/**
 * The model in files, for weights of another form than ours: each is written when it is made, and the engine reads them, so
 * that a large model is never held twice. Windows deletes no file that is being read.
 */
const inFiles = (weights: CompileOptions['weights']) => weights === 'int8' && process.platform !== 'win32';

async function openFiles(ort: Runtime, outputs: Outputs, options: EmitOptions, device: NodeDevice, threads: number) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nina-'));
  try {
    const file = {
      name: 'weights',
      append: (bytes: Uint8Array) => fs.appendFileSync(path.join(folder, 'weights'), bytes),
    };
    const emitted = emit(outputs, { ...options, file });
    const model = path.join(folder, 'model.onnx');
    fs.writeFileSync(model, emitted.model);
    return {
      emitted,
      session: await create(ort, model, SESSION_BYTES, sessionOptions(emitted, device, threads), device),
    };
  } catch (cause) {
    throw fileError(`Could not write a model of 8 bits into ${folder}`, cause);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function create(ort: Runtime, model: Uint8Array | string, bytes: number, options: SessionOptions, device: NodeDevice) {
  requireAddressSpace('A program needs', bytes + SESSION_BYTES);
  return withMemory(`open a program of ${(bytes / 1e6).toFixed(1)} MB`, () =>
    withDevice(device, () => ort.InferenceSession.create(model, options)),
  );
}

const RUNNING: Running = { around: (run) => withMemory('run a program', run), free };

/** Where arrays go that nobody wants. */
let nowhere: MessagePort | undefined;

/**
 * Gives an array's memory back at once. Tens of megabytes a training step, left to the garbage collector, have it run every
 * few steps and have the kernel find new pages every time.
 */
function free({ buffer }: Float32Array): void {
  if (buffer.byteLength < WORTH_FREEING) return;
  if (!nowhere) {
    const { port1, port2 } = new MessageChannel();
    port2.close();
    nowhere = port1;
  }
  nowhere.postMessage(undefined, [buffer as ArrayBuffer]);
}

/** Bytes: smaller arrays are cheaper for the collector. */
const WORTH_FREEING = 2 ** 20;

let loading: Promise<Runtime> | undefined;

/** The package, loaded on first use. @throws NinaError when it cannot be loaded here. */
export function loadRuntime(): Promise<Runtime> {
  loading ??= load().catch((cause) => {
    // The next call tries again.
    loading = undefined;
    throw cause;
  });
  return loading;
}

async function load(): Promise<Runtime> {
  await settleTelemetry();
  requireAddressSpace('ONNX Runtime needs', LIBRARY_BYTES);
  try {
    return (await import('onnxruntime-node')) as Runtime;
  } catch (cause) {
    throw new NinaError(
      `${NAME} could not be loaded on ${process.platform} ${process.arch}: ${firstLine(cause)}. It runs on macOS ` +
        "(arm64), Linux with glibc and Windows (x64, arm64). Install the package anew on this machine, or raise the limit of address space ('ulimit -v') if there is one.",
      { cause },
    );
  }
}

/** Runs a call of the runtime. @throws NinaError when memory is short; other errors pass unchanged. */
async function withMemory<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    if (!/bad_alloc|failed to allocate memory|allocation failed|out of memory/i.test(String(cause))) throw cause;
    throw new NinaError(
      `ONNX Runtime could not ${what}: it got no memory (${firstLine(cause)}). Use a smaller batch or model, or give the ` +
        "process more memory or address space ('ulimit -v', h_vmem).",
      { cause },
    );
  }
}

/** Opens a session. @throws NinaError when the device is not there; other errors pass unchanged. */
async function withDevice<T>(device: Device, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (cause) {
    const missing = /Failed to get a WebGPU adapter|execution provider is not supported|backend not found/i;
    if (device !== 'webgpu' || !missing.test(String(cause))) throw cause;
    throw new NinaError(
      `There is no device webgpu here: ${NAME} found no graphics adapter on ${process.platform} ${process.arch}. Install a ` +
        'driver (on Linux a Vulkan driver and libvulkan.so.1; x64 alone has this device there), or use the device cpu.',
      { cause },
    );
  }
}

const firstLine = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause)).split('\n')[0].trim();
