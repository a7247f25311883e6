/** Recorded numbers that are finite, also once they are rounded to what they are kept in. */
import { NinaError } from '../errors.ts';
import type { Place } from './hdf5/links.ts';
import { openNumbers, type Rows, readNumbers } from './hdf5/numbers.ts';

/** @throws NinaError as `openNumbers` and `readNumbers`, and naming step and entry of the first number that is not finite. */
export function readFinite(
  group: Place,
  name: string,
  shape: readonly (number | null)[],
  rows?: Rows,
  kept: 'float32' | 'float64' = 'float32',
): Float64Array {
  const set = openNumbers(group, name, shape);
  const data = readNumbers(set, rows);
  const bad = data.findIndex((value) => !Number.isFinite(kept === 'float32' ? Math.fround(value) : value));
  if (bad < 0) return data;
  const perStep = set.shape.slice(1).reduce((product, size) => product * size, 1);
  const step = (rows?.[0] ?? 0) + Math.floor(bad / perStep);
  throw new NinaError(
    `${group.title}/${name} is ${data[bad]} at step ${step}, entry ${bad % perStep}; ` +
      `every entry must be a finite number${Number.isFinite(data[bad]) ? ` of ${kept}` : ''}.`,
  );
}
