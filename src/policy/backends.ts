/** The names of what can compute a policy's decoder. Apart from it, so that asking for help loads no engine. */

/** 'graph': the decoder as it was trained, on ONNX Runtime; every decoder has it. The others are of decoders that fold. */
export const POLICY_BACKENDS = ['graph', 'onnx', 'wasm', 'wasm-int8'] as const;
export type PolicyBackend = (typeof POLICY_BACKENDS)[number];
