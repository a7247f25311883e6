/**
 * ONNX Runtime for the web: the same graphs on WebAssembly or WebGPU, in a browser and wherever else that package runs.
 * It is brought by whoever uses it, since a page chooses how to load it:
 *
 *   import * as ort from 'onnxruntime-web';
 *   const engine = onnxruntimeWeb(ort, { device: 'wasm' });
 */
import { emit } from '../tensor/onnx/emit.ts';
import type { Engine } from './engine.ts';
import { type OnnxRuntime, sessionOptions, sessionProgram } from './onnxruntime.ts';

/**
 * @param ort the module onnxruntime-web, or onnxruntime-web/webgpu for the device 'webgpu'
 */
export function onnxruntimeWeb(
  ort: OnnxRuntime & { readonly env: { readonly versions: { readonly web?: string } } },
  { device }: { readonly device: 'wasm' | 'webgpu' },
): Engine {
  return {
    name: `onnxruntime-web ${ort.env.versions.web}`,
    device,
    async compile(outputs, { threads = 1, weights = 'shared' } = {}) {
      const emitted = emit(outputs, { weights });
      const session = await ort.InferenceSession.create(emitted.model, sessionOptions(emitted, device, threads));
      return sessionProgram(ort, session, emitted, { around: (run) => run() });
    },
  };
}
