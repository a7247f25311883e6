/** From a file of any format that we read to its named tensors. */
import { NinaError } from '../errors.ts';
import { openSafetensors, openSource } from '../safetensors.ts';
import { torchWeights } from './torch.ts';
import type { Weights } from './weights.ts';
import { isZip } from './zip.ts';

/**
 * Opens a .safetensors file, or a .pt or .ckpt of torch.save; its content says which, not its name.
 * @throws NinaError for anything else, and what is damaged.
 */
export function openWeights(file: string): Weights & Disposable {
  const source = openSource(file);
  const close = source[Symbol.dispose];
  try {
    const start = new Uint8Array(Math.min(9, source.size));
    source.read(start, 0);
    if (isZip(start)) return { ...source.during(() => torchWeights(source, file)), [Symbol.dispose]: close };
    if (isPickle(start))
      throw new NinaError(
        `${file} was written by torch before 1.6, or is a pickle of another program. Open it with a newer torch and save it again: torch.save(torch.load(FILE), OTHER).`,
      );
    if (!isSafetensors(start))
      throw new NinaError(
        `${file} is ${whatElse(start)}, and neither .safetensors nor what torch.save writes. Give the file of the weights itself.`,
      );
  } catch (cause) {
    close();
    throw cause;
  }
  close();
  const { tensors, [Symbol.dispose]: end } = openSafetensors(file);
  return { tensors, others: new Map(), settings: new Map(), notes: [], [Symbol.dispose]: end };
}

/** The length of a header in 8 bytes, then the header, which is JSON. */
const isSafetensors = (start: Uint8Array) => start[8] === '{'.charCodeAt(0);

function whatElse(start: Uint8Array): string {
  if (start.length === 0) return 'empty';
  if (start[0] === 0x1f && start[1] === 0x8b) return 'compressed by gzip';
  return start.length < 9 ? `a file of ${start.length} bytes` : 'a file of another kind';
}

/** A pickle by itself begins with its protocol's version. */
const isPickle = (start: Uint8Array) => start[0] === 0x80 && start[1] >= 2 && start[1] <= 5;
