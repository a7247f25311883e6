/**
 * The part of the WebAssembly API that is used here, the same in Node and browsers. Neither the ES library nor Node's
 * types declare it, and the DOM's library would declare a browser's globals with it.
 */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(module: Module, imports?: Record<string, Record<string, unknown>>);
    readonly exports: Record<string, unknown>;
  }
  class Memory {
    constructor(size: { initial: number; maximum?: number });
    /** Detached when the memory grows. */
    readonly buffer: ArrayBuffer;
    /** @returns how many pages of 64 KiB there were before. */
    grow(pages: number): number;
  }
}
