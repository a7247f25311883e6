/** Running graphs: programs on ONNX Runtime. */
export { engineVersion } from './onnxruntime.ts';
export { type CompileOptions, compile, type Feed, type Program, ProgramCache } from './program.ts';
