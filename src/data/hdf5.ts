/**
 * HDF5 access with errors as sentences, over h5wasm (the HDF5 C library as WebAssembly, on Node's real file system).
 * The library is synchronous: a caller that must stay responsive runs it in a worker thread.
 */
import * as fs from 'node:fs';
import h5wasm, { type Dataset, type Group } from 'h5wasm/node';
import { NinaError } from '../errors.ts';
import { fileError } from '../files.ts';

const library = await h5wasm.ready;
// Without this, HDF5 prints its error stack and hands back -1: a failed read would look like data.
library.activate_throwing_error_handler();

export type { Group } from 'h5wasm/node';

const SIGNATURE = Buffer.from([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]);

/** The innermost sentence of HDF5's multi-line error stack. */
function reason(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  const lines = text.match(/in \w+\(\): .*/g);
  return (
    lines
      ?.at(-1)
      ?.replace(/^in \w+\(\): /, '')
      .split(/[,:]/)[0]
      ?.trim() ?? text.split('\n')[0]!
  );
}

/** Turns whatever HDF5 threw into a NinaError that names the file; NinaErrors pass unchanged. */
export function hdf5Error(what: string, cause: unknown): unknown {
  if (cause instanceof NinaError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  if (text.includes('No space left on device'))
    return fileError(what, Object.assign(new Error(text), { code: 'ENOSPC' }));
  return new NinaError(`${what}: ${reason(cause)}.`, { cause });
}

/** Says why a file is no readable HDF5, from its first bytes and the library's own words. */
function openError(file: string, cause: unknown): NinaError {
  const bytes = fs.statSync(file).size;
  if (bytes === 0) return new NinaError(`${file} is empty (0 bytes). Record or download it again.`);
  const head = Buffer.alloc(8);
  const fd = fs.openSync(file, 'r');
  fs.readSync(fd, head, 0, 8, 0);
  fs.closeSync(fd);
  if (!head.subarray(0, bytes).equals(SIGNATURE.subarray(0, Math.min(bytes, 8))))
    return new NinaError(`${file} is not an HDF5 file: its first bytes are ${head.toString('hex')}.`);
  const stored = /stored_eof = (\d+)/.exec(cause instanceof Error ? cause.message : '')?.[1];
  const missing = stored ? `${bytes} of its ${stored} bytes are there` : `only ${bytes} bytes are there`;
  if (stored || bytes < 1024)
    return new NinaError(`${file} is truncated: ${missing}. Record or download it again.`, { cause });
  return new NinaError(`${file} is damaged: ${reason(cause)}. Record or download it again.`, { cause });
}

/**
 * Opens a file for reading, hands its root to `use` and closes it.
 * @throws NinaError for a missing, empty, truncated or damaged file.
 */
export function readHdf5<T>(file: string, use: (root: Group) => T): T {
  if (!fs.existsSync(file)) throw new NinaError(`${file} does not exist.`);
  let root: InstanceType<typeof h5wasm.File>;
  try {
    root = new h5wasm.File(file, 'r');
  } catch (cause) {
    throw openError(file, cause);
  }
  try {
    return use(root);
  } catch (cause) {
    throw hdf5Error(`${file} is damaged and cannot be read`, cause);
  } finally {
    root.close();
  }
}

/** Creates a file; the caller closes it. */
export function createHdf5(file: string): InstanceType<typeof h5wasm.File> {
  return new h5wasm.File(file, 'w');
}

/** An attribute's value, or undefined where there is none; int64 comes as a number. */
export function attribute(group: Group, name: string): unknown {
  if (!(name in group.attrs)) return undefined;
  const value = group.get_attribute(name, false);
  return typeof value === 'bigint' ? Number(value) : value;
}

/**
 * An attribute that must be text.
 * @throws NinaError naming the attribute and those found.
 */
export function textAttribute(group: Group, name: string, file: string): string {
  const value = attribute(group, name);
  if (typeof value === 'string') return value;
  const found = Object.keys(group.attrs).sort().join(', ') || 'none';
  throw new NinaError(`${file}: ${group.path} has no text attribute '${name}'. Attributes found: ${found}.`);
}

/** Every dataset below a group as 'a' or 'group/a', sorted. */
export function datasetNames(group: Group): string[] {
  const names: string[] = [];
  for (const name of group.keys()) {
    const entry = group.get(name);
    if (entry instanceof h5wasm.Group) names.push(...datasetNames(entry).map((inner) => `${name}/${inner}`));
    else names.push(name);
  }
  return names.sort();
}

/** The dataset at `name` below `group`, or undefined where there is none. */
export function findDataset(group: Group, name: string): Dataset | undefined {
  const entry = group.get(name);
  return entry instanceof h5wasm.Dataset ? entry : undefined;
}

/**
 * A numeric dataset whose shape must match `shape` (null: any size).
 * @returns its numbers, row-major, and its shape.
 * @throws NinaError naming a missing dataset (and those found) or the two shapes.
 */
export function readNumbers(
  group: Group,
  name: string,
  shape: readonly (number | null)[],
  file: string,
): { data: Float64Array; shape: number[] } {
  const dataset = findDataset(group, name);
  if (!dataset)
    throw new NinaError(
      `${file}: ${group.path} has no dataset '${name}'. Found: ${datasetNames(group).join(', ') || 'none'}.`,
    );
  const found = dataset.shape ?? [];
  if (found.length !== shape.length || shape.some((size, i) => size !== null && size !== found[i]))
    throw new NinaError(
      `${file}: ${group.path}/${name} has shape [${found.join(', ')}]; wanted [${shape.map((size) => size ?? 'any').join(', ')}].`,
    );
  const value: unknown = dataset.value;
  if (!ArrayBuffer.isView(value) || value instanceof DataView)
    throw new NinaError(`${file}: ${group.path}/${name} does not hold numbers.`);
  return { data: toFloat64(value), shape: found };
}

function toFloat64(view: ArrayBufferView): Float64Array {
  if (view instanceof Float64Array) return view;
  if (view instanceof BigInt64Array || view instanceof BigUint64Array)
    return Float64Array.from({ length: view.length }, (_, i) => Number(view[i]));
  return Float64Array.from(view as Float32Array | Int32Array | Uint8Array);
}
