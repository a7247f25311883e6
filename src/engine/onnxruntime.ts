/**
 * The one door to ONNX Runtime: no other module imports it (`scripts/check-imports.mjs`), so that nothing can load it
 * before its telemetry is settled, importing this package loads no native code, and its failures become sentences.
 */
import { createRequire } from 'node:module';
import type * as Ort from 'onnxruntime-node';
import { requireAddressSpace } from '../address-space.ts';
import { NinaError } from '../errors.ts';
import { settleTelemetry } from './telemetry.ts';

export type Engine = typeof Ort;
export type EngineTensor = Ort.Tensor;
export type EngineSession = Ort.InferenceSession;

/** Version of the engine that runs programs: recorded with every result. */
export const engineVersion = `onnxruntime-node ${createRequire(import.meta.url)('onnxruntime-node/package.json').version}`;

/** Library, thread pool and a small arena. */
const LIBRARY_BYTES = 350e6;

let loading: Promise<Engine> | undefined;

/** ONNX Runtime, loaded on first use. @throws NinaError when it cannot be loaded here. */
export function loadEngine(): Promise<Engine> {
  loading ??= load().catch((cause) => {
    // The next call tries again.
    loading = undefined;
    throw cause;
  });
  return loading;
}

async function load(): Promise<Engine> {
  await settleTelemetry();
  requireAddressSpace('ONNX Runtime needs', LIBRARY_BYTES);
  try {
    return await import('onnxruntime-node');
  } catch (cause) {
    throw new NinaError(
      `${engineVersion} could not be loaded on ${process.platform} ${process.arch}: ${firstLine(cause)}. It runs on macOS ` +
        "(arm64), Linux with glibc and Windows (x64, arm64). Install the package anew on this machine, or raise the limit of address space ('ulimit -v') if there is one.",
      { cause },
    );
  }
}

/** Opens a session. @throws NinaError when memory is short. */
export async function openSession(
  model: Uint8Array,
  options: Ort.InferenceSession.SessionOptions,
): Promise<EngineSession> {
  const engine = await loadEngine();
  // The engine parses the model and copies its weights.
  requireAddressSpace('A program needs', 2 * model.length + SESSION_BYTES);
  return withMemory(`open a program of ${(model.length / 1e6).toFixed(1)} MB`, () =>
    engine.InferenceSession.create(model, options),
  );
}

/** Of a session beside its weights. */
const SESSION_BYTES = 100e6;

/** Runs a call of the engine. @throws NinaError when memory is short; other errors pass unchanged. */
export async function withMemory<T>(what: string, call: () => Promise<T>): Promise<T> {
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

const firstLine = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause)).split('\n')[0].trim();
