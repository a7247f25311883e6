/** The names of what can compute a policy. Apart from it, so that asking for help loads nothing. */

/**
 * 'wasm': WebAssembly alone. 'graph': as it was trained, on an engine. Every policy has these; 'wasm-int8', with weights of
 * 8 bits, and 'onnx', folded on an engine, are of decoders that can be folded.
 */
export const POLICY_BACKENDS = ['wasm', 'wasm-int8', 'onnx', 'graph'] as const;
export type PolicyBackend = (typeof POLICY_BACKENDS)[number];
