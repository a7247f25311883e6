/** Stored tensors as the parameters of a model, strictly: what does not match is listed, never skipped. */
import { NinaError } from '../errors.ts';
import type { StoredTensor } from '../safetensors-format.ts';
import { layoutOf, type MapTree, mapTree, type NDArray, type Spec, type Tree } from '../tensor/index.ts';
import { list } from './checked.ts';

const describe = ({ shape, data }: StoredTensor) => `${data instanceof BigInt64Array ? 'int64' : 'float32'} [${shape}]`;

/**
 * The stored tensors in the shape that a model's blueprint asks for; nothing is drawn, and nothing allocated for what the
 * file may not hold.
 * @param others what else the file must hold, as `describe` says it
 * @throws NinaError listing every difference, or naming a number that is not finite.
 */
export function adopt<P extends Tree<Spec>>(
  expected: P,
  stored: Readonly<Record<string, StoredTensor>>,
  file: string,
  others: Readonly<Record<string, string>> = {},
): MapTree<P, NDArray> {
  const entries = layoutOf(expected).entries.map(({ path, shape }) => [path, `float32 [${shape}]`]);
  const wanted: Record<string, string> = { ...others, ...Object.fromEntries(entries) };
  const missing = Object.keys(wanted).filter((name) => !Object.hasOwn(stored, name));
  const unexpected = Object.keys(stored).filter((name) => !Object.hasOwn(wanted, name));
  const different = Object.keys(wanted)
    .filter((name) => Object.hasOwn(stored, name) && describe(stored[name]) !== wanted[name])
    .map((name) => `${name} wants ${wanted[name]}, got ${describe(stored[name])}`);
  if (missing.length + unexpected.length + different.length > 0)
    throw new NinaError(
      [
        `The weights of ${file} are of another architecture than its config.json:`,
        ...list('missing', missing),
        ...list('unexpected', unexpected),
        ...list('of another shape', different),
      ].join('\n'),
    );
  return mapTree(expected, (_: Spec, name) => finite(stored[name] as NDArray, name, file));
}

function finite(weights: NDArray, name: string, file: string): NDArray {
  const bad = weights.data.findIndex((w) => !Number.isFinite(w));
  if (bad < 0) return weights;
  throw new NinaError(
    `${file}: "${name}" is not finite: it holds ${weights.data[bad]} at ${bad}. The weights are damaged: copy the checkpoint again, or save it again from the training run.`,
  );
}
