/**
 * One-shot inference of a NinA decoder where there is only WebAssembly: a browser, a worker, an edge runtime. Imports
 * neither Node nor ONNX Runtime. The same bytes run everywhere, and answer alike to the bit.
 */

export { type Folded, foldNina } from './compiled/folded.ts';
export { compileWasm, type WasmNina } from './compiled/wasm/runtime.ts';
export { checkNina, type NinaConfig, ninaSchema } from './config.ts';
export type { Buffers, Model, Params } from './nina.ts';
