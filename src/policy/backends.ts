/** The names of what can compute a policy. Apart from it, so that asking for help loads nothing. */

/**
 * 'wasm': WebAssembly alone. 'graph': as it was trained, on an engine. 'onnx-int8': the encoder with weights of 8 bits, on an
 * engine. Every policy has these; 'wasm-int8', with weights of 8 bits in the decoder, and 'onnx', folded on an engine, are of
 * decoders that can be folded.
 */
export const POLICY_BACKENDS = ['wasm', 'wasm-int8', 'onnx', 'onnx-int8', 'graph'] as const;
export type PolicyBackend = (typeof POLICY_BACKENDS)[number];

/** Weights of 8 bits are another model, which is chosen by name alone and agrees to their rounding. */
export const isRounded = (backend: string): boolean => backend.endsWith('-int8');
