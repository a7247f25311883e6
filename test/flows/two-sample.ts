/**
 * Are two sets of vectors drawn from the same distribution? Energy distance (Székely & Rizzo) with a permutation test.
 */
import { fold, type Key, permutation } from '../../src/random.ts';

const PERMUTATIONS = 200;

/** The p-value of "same distribution"; a and b hold rows of `width` numbers, equally many. */
export function energyDistanceTest(a: Float32Array, b: Float32Array, width: number, key: Key): number {
  const all = Float32Array.from([...a, ...b]);
  const n = all.length / width;
  const distance = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) {
      let square = 0;
      for (let d = 0; d < width; d++) square += (all[i * width + d] - all[j * width + d]) ** 2;
      distance[i * n + j] = distance[j * n + i] = Math.sqrt(square);
    }
  // 2 E|a - b| - E|a - a'| - E|b - b'| for labels +1 and -1 is minus the mean of label x label x distance.
  const energy = (order: ArrayLike<number>) => {
    const label = new Float64Array(n);
    for (let i = 0; i < n; i++) label[order[i]] = i < n / 2 ? 1 : -1;
    let total = 0;
    for (let i = 0; i < n; i++) {
      let row = 0;
      for (let j = 0; j < i; j++) row += label[j] * distance[i * n + j];
      total -= label[i] * row;
    }
    return total;
  };
  const observed = energy(Array.from({ length: n }, (_, i) => i));
  let asLarge = 0;
  for (let i = 0; i < PERMUTATIONS; i++) if (energy(permutation(fold(key, i), n)) >= observed) asLarge++;
  return (1 + asLarge) / (1 + PERMUTATIONS);
}
