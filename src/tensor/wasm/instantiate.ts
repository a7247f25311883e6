/**
 * The one place that touches the platform's WebAssembly, which Node and browsers share.
 */

/** What we use of the standard's JavaScript interface; the compiler's library knows it only together with the DOM. */
declare const WebAssembly: {
  instantiate(bytes: Uint8Array<ArrayBuffer>): Promise<{ readonly instance: { readonly exports: object } }>;
};

/** Compiles and instantiates a module that imports nothing. @returns its exports, of which E says the types. */
export async function instantiate<E extends object>(bytes: Uint8Array<ArrayBuffer>): Promise<E> {
  const { instance } = await WebAssembly.instantiate(bytes);
  return instance.exports as E;
}
