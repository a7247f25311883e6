/**
 * The HDF5 C library as WebAssembly (h5wasm), on Node's real file system. It is loaded when first needed: a module that
 * awaits at its top level could not be loaded by `require`. Once there, it is synchronous; a caller that must stay
 * responsive runs it in a worker thread.
 */
import type { File as Hdf5Root } from 'h5wasm/node';
import { loadWasm } from '../../wasm.ts';

type H5wasm = typeof import('h5wasm/node');

/** Its objects, and the calls below them. */
export interface Library {
  readonly h5wasm: H5wasm['default'];
  readonly module: Awaited<H5wasm['ready']> & {
    create_object_reference(file: bigint, path: string): Uint8Array;
    get_names(file: bigint, path: string, recursive: boolean): string[];
    _malloc(bytes: number): number;
    _free(pointer: number): void;
  };
}

export type { Hdf5Root };

let loading: Promise<Library> | undefined;

/** @throws NinaError where address space for WebAssembly is short. */
export function loadLibrary(): Promise<Library> {
  loading ??= loadWasm('The HDF5 library', async () => {
    const { default: h5wasm } = await import('h5wasm/node');
    const module = (await h5wasm.ready) as Library['module'];
    // Without this, HDF5 prints its error stack and hands back -1: a failed read would look like data.
    module.activate_throwing_error_handler();
    return { h5wasm, module };
  });
  return loading;
}
