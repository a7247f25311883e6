/**
 * The one place that touches the platform's WebAssembly, which Node and browsers share.
 */
import { loadWasm } from '../../wasm.ts';

/** What we use of the standard's JavaScript interface; the compiler's library knows it only together with the DOM. */
declare const WebAssembly: {
  instantiate(bytes: Uint8Array<ArrayBuffer>): Promise<{ readonly instance: { readonly exports: object } }>;
};

/**
 * Compiles and instantiates a module that imports nothing.
 * @param what the module is, as a sentence begins
 * @returns its exports, of which E says the types.
 * @throws NinaError where address space is too short.
 */
export async function instantiate<E extends object>(bytes: Uint8Array<ArrayBuffer>, what: string): Promise<E> {
  const { instance } = await loadWasm(what, () => WebAssembly.instantiate(bytes));
  return instance.exports as E;
}
