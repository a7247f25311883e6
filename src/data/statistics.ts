/** Per-dimension statistics of a table of numbers: what normalisation needs, and what a person checks first. */
import { NinaError } from '../errors.ts';
import { quantile } from '../statistics/index.ts';

/** Each list has one entry per dimension. `std` is the population's; `q01` and `q99` are quantiles. */
export interface Statistics {
  names: string[];
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
export function statistics(tables: readonly Float32Array[], names: readonly string[]): Statistics {
  const width = names.length;
  const ragged = tables.find((table) => table.length % width !== 0);
  if (ragged) throw new NinaError(`A table of ${ragged.length} numbers does not divide into rows of ${width}.`);
  const count = tables.reduce((rows, table) => rows + table.length / width, 0);
  if (count === 0) throw new NinaError('Statistics need at least one row; got none.');
  const result: Statistics = { names: [...names], count, mean: [], std: [], min: [], max: [], q01: [], q99: [] };
  const column = new Float64Array(count);
  for (let d = 0; d < width; d++) {
    let row = 0;
    for (const table of tables) for (let i = d; i < table.length; i += width) column[row++] = table[i];
    column.sort();
    const mean = column.reduce((sum, x) => sum + x, 0) / count;
    result.mean.push(mean);
    // Two passes: the one-pass formula cancels when the mean is large beside the spread.
    result.std.push(Math.sqrt(column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / count));
    result.min.push(column[0]);
    result.max.push(column[count - 1]);
    result.q01.push(quantile(column, 0.01));
    result.q99.push(quantile(column, 0.99));
  }
  return result;
}
