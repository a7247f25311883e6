/**
 * Loading WebAssembly (HDF5, MuJoCo, our own decoders) where address space is limited. V8 reserves about 10 GB of
 * addresses for every WebAssembly memory, whatever its size, so that it need not check bounds; under `ulimit -v` or a
 * cluster's h_vmem that fails, in each library with another unhelpful error.
 */
import { NinaError } from './errors.ts';

/** The compiler's library knows the standard's interface only together with the DOM. */
declare const WebAssembly: { Memory: new (descriptor: { initial: number }) => object };

/**
 * Runs `load`, which instantiates `what`.
 * @throws NinaError that says how to give it address space; other errors pass unchanged.
 */
export async function loadWasm<T>(what: string, load: () => Promise<T>): Promise<T> {
  try {
    // Some libraries lose the cause of a failed start: ask for a memory first, where it is still known.
    new WebAssembly.Memory({ initial: 1 });
    return await load();
  } catch (cause) {
    if (!/out of memory|could not allocate memory|array buffer allocation failed/i.test(String(cause))) throw cause;
    throw new NinaError(
      `${what} is WebAssembly, which needs address space that this process may not reserve. Raise the limit ` +
        `('ulimit -v unlimited', h_vmem), or start with NODE_OPTIONS=--disable-wasm-trap-handler (slower, far less address space).`,
      { cause },
    );
  }
}
