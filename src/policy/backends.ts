/** The names of what can compute a policy's decoder. Apart from it, so that asking for help loads no engine. */
import type { Backend } from '../decoders/nina/index.ts';

/** 'graph': the decoder as it was trained, on ONNX Runtime; every decoder has it. The others are NinA's own. */
export const POLICY_BACKENDS = ['graph', 'onnx', 'wasm', 'wasm-int8'] as const satisfies readonly (Backend | 'graph')[];
export type PolicyBackend = (typeof POLICY_BACKENDS)[number];
