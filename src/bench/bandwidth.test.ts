import { expect, test } from 'vitest';
import { bandwidthFor, fastest, measureBandwidth } from './bandwidth.ts';

const [small, middle, large] = [
  { bytes: 10, gb_per_s: 90 },
  { bytes: 20, gb_per_s: 50 },
  { bytes: 40, gb_per_s: 20 },
];
const readings = [small, middle, large];

test('every size has a speed', async () => {
  // The reader checks by its sum that it read everything.
  const measured = await measureBandwidth([2 ** 16, 2 ** 20]);
  expect(measured.map(({ bytes }) => bytes)).toEqual([2 ** 16, 2 ** 20]);
  for (const { gb_per_s } of measured) expect(gb_per_s).toBeGreaterThan(0);
});

test('what applies is the smallest buffer that holds the bytes, or else the largest', () => {
  expect(bandwidthFor(readings, 10)).toBe(small);
  expect(bandwidthFor(readings, 11)).toBe(middle);
  expect(bandwidthFor(readings, 1000)).toBe(large);
});

test('of two measurements the faster counts, size by size', () => {
  const other = [{ bytes: 10, gb_per_s: 80 }, { bytes: 20, gb_per_s: 60 }, large];
  expect(fastest(readings, other)).toEqual([small, other[1], large]);
});
