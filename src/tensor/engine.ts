/**
 * The one door to ONNX Runtime: no other module imports it (`scripts/check-imports.mjs`), so that nothing can load it
 * before its telemetry is settled, and importing this package loads no native code.
 */
import { createRequire } from 'node:module';
import type * as Ort from 'onnxruntime-node';
import { settleTelemetry } from './telemetry.ts';

export type Engine = typeof Ort;
export type EngineTensor = Ort.Tensor;
export type EngineSession = Ort.InferenceSession;

/** Version of the engine that runs programs: recorded with every result. */
export const engineVersion = `onnxruntime-node ${createRequire(import.meta.url)('onnxruntime-node/package.json').version}`;

let loading: Promise<Engine> | undefined;

/** ONNX Runtime, loaded on first use. */
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
  return import('onnxruntime-node');
}
