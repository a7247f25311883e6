import fc from 'fast-check';
import { expect, test } from 'vitest';
import { key } from '../random.ts';
import { batchSampler } from './sampler.ts';

test('n indices in a row, from the start of an epoch, are a permutation', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 20 }), (n, batch) => {
      const sample = batchSampler(key(3), n, batch);
      const drawn = Array.from({ length: Math.ceil((2 * n) / batch) }, (_, step) => [...sample(step)]).flat();
      const all = Array.from({ length: n }, (_, i) => i);
      for (const epoch of [0, 1]) {
        expect(drawn.slice(epoch * n, (epoch + 1) * n).sort((a, b) => a - b)).toEqual(all);
      }
    }),
  );
});

test('a step draws the same batch whatever was drawn before', () => {
  const walked = batchSampler(key(5), 37, 8);
  for (let step = 0; step < 11; step++) walked(step);
  expect(walked(11)).toEqual(batchSampler(key(5), 37, 8)(11));
  expect(walked(2)).toEqual(batchSampler(key(5), 37, 8)(2));
  expect(walked(2)).not.toEqual(batchSampler(key(6), 37, 8)(2));
});

test('every epoch has an order of its own', () => {
  const sample = batchSampler(key(4), 50, 50);
  expect(sample(1)).not.toEqual(sample(0));
});
