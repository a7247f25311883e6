/** Normalisation: statistics of each dimension of a table of numbers, and the one way to normalise by them. */
import * as z from 'zod';
import { NinaError } from '../errors.ts';
import { square } from '../math.ts';
import { quantile } from '../statistics/index.ts';

export interface Moments {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** A dimension that hardly varies in the data must not blow up small deviations at run time. */
const SMALLEST_STD = 0.02;

/** Number `i` of a row, in standard deviations from the mean. */
export const normalise = (x: number, { mean, std }: Moments, i: number): number =>
  (x - mean[i]) / Math.max(std[i], SMALLEST_STD);

/** Moments of `size` dimensions, and what else `momentsOf` measures. */
export function momentsSchema(size: number) {
  const each = z.array(z.number()).length(size);
  const spread = z.array(z.number().min(0)).length(size);
  const more = { min: each, max: each, q01: each, q99: each, count: z.int().min(1), names: z.array(z.string()) };
  return z.strictObject({ mean: each, std: spread, ...z.object(more).partial().shape });
}

/** Each list has one entry per dimension. `std` is the population's; `q01` and `q99` are quantiles. */
export interface MeasuredMoments extends Moments {
  names: string[];
  /** Rows. */
  count: number;
  mean: number[];
  std: number[];
  min: number[];
  max: number[];
  q01: number[];
  q99: number[];
}

/**
 * @param tables row-major tables [rows, names.length], taken together
 * @throws NinaError when there are no rows or a table's length is no multiple of the number of dimensions.
 */
export function momentsOf(tables: readonly Float32Array[], names: readonly string[]): MeasuredMoments {
  const width = names.length;
  const ragged = tables.find((table) => table.length % width !== 0);
  if (ragged) throw new NinaError(`A table of ${ragged.length} numbers does not divide into rows of ${width}.`);
  const count = tables.reduce((rows, table) => rows + table.length / width, 0);
  if (count === 0) throw new NinaError('Statistics need at least one row; got none.');
  const result: MeasuredMoments = { names: [...names], count, mean: [], std: [], min: [], max: [], q01: [], q99: [] };
  const column = new Float64Array(count);
  for (let d = 0; d < width; d++) {
    let row = 0;
    for (const table of tables) for (let i = d; i < table.length; i += width) column[row++] = table[i];
    column.sort();
    const mean = column.reduce((sum, x) => sum + x, 0) / count;
    result.mean.push(mean);
    // Two passes: the one-pass formula cancels when the mean is large beside the spread.
    result.std.push(Math.sqrt(column.reduce((sum, x) => sum + square(x - mean), 0) / count));
    result.min.push(column[0]);
    result.max.push(column[count - 1]);
    result.q01.push(quantile(column, 0.01));
    result.q99.push(quantile(column, 0.99));
  }
  return result;
}
