/**
 * The one place that touches the platform's WebAssembly, which Node and browsers share.
 */
import { loadWasm } from '../../wasm.ts';

/** A memory that threads have in common; it can be sent to a worker. */
export interface SharedMemory {
  readonly buffer: SharedArrayBuffer;
}

/** What we use of the standard's JavaScript interface; the compiler's library knows it only together with the DOM. */
declare const WebAssembly: {
  instantiate(
    bytes: Uint8Array<ArrayBuffer>,
    imports?: { shared: { memory: SharedMemory } },
  ): Promise<{ readonly instance: { readonly exports: object } }>;
  Memory: new (descriptor: { initial: number; maximum: number; shared: true }) => SharedMemory;
};

const PAGE = 65536;
/** All that addresses of 32 bits reach. */
export const LARGEST_MEMORY = 2 ** 32;

/**
 * Compiles and instantiates a module that imports nothing, or the memory its threads share.
 * @param what the module is, as a sentence begins
 * @returns its exports, of which E says the types.
 * @throws NinaError where address space is too short.
 */
export async function instantiate<E extends object>(
  bytes: Uint8Array<ArrayBuffer>,
  what: string,
  memory?: SharedMemory,
): Promise<E> {
  const { instance } = await loadWasm(what, () => WebAssembly.instantiate(bytes, memory && { shared: { memory } }));
  return instance.exports as E;
}

/** @throws NinaError where address space is too short. */
export const sharedMemory = (bytes: number, what: string): Promise<SharedMemory> => {
  const pages = Math.ceil(bytes / PAGE);
  return loadWasm(what, async () => new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }));
};
