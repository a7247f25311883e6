/** Running graphs in Node. The contract alone, and what runs elsewhere, is in engine.ts, onnxruntime-web.ts and wasm.ts. */
import { onnxruntime } from './onnxruntime-node.ts';

export { ProgramCache } from './cache.ts';
export {
  type CompileOptions,
  type Device,
  type Engine,
  type Feed,
  NODE_DEVICES,
  type NodeDevice,
  type Program,
} from './engine.ts';
export { onnxruntime } from './onnxruntime-node.ts';
export { wasm } from './wasm.ts';

/** The default of what runs in Node alone. */
export const cpu = onnxruntime();
