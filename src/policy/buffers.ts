/** A model's fixed integers in safetensors files: permutations, each an int64 tensor 'buffers.<name>' of its indices. */
import { NinaError } from '../errors.ts';
import { isPermutation } from '../flows/index.ts';
import type { StoredTensor } from '../safetensors-format.ts';
import type { PolicyModel } from './model.ts';

export const BUFFER_PREFIX = 'buffers.';

/** As safetensors keep them. */
export const storedBuffers = (buffers: PolicyModel['buffers']): [string, StoredTensor][] =>
  Object.entries(buffers).map(([name, values]) => [
    BUFFER_PREFIX + name,
    { shape: [values.length], data: BigInt64Array.from(values, BigInt) },
  ]);

/**
 * The permutations among a file's tensors.
 * @throws NinaError naming one that does not hold each of its indices once.
 */
export function buffersFrom(file: string, tensors: Readonly<Record<string, StoredTensor>>): PolicyModel['buffers'] {
  const stored = Object.entries(tensors).filter(([name]) => name.startsWith(BUFFER_PREFIX));
  return Object.fromEntries(
    stored.map(([name, { shape, data }]) => {
      const order = Array.from(data, Number);
      if (!(data instanceof BigInt64Array) || shape.length !== 1 || !isPermutation(order))
        throw new NinaError(
          `${file}: "${name}" is no permutation: it should hold each integer from 0 to ${data.length - 1} once. The file is damaged.`,
        );
      return [name.slice(BUFFER_PREFIX.length), order];
    }),
  );
}
