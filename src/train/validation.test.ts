import { expect, test } from 'vitest';
import { batching } from './validation.ts';

test('something is measured whatever the batch size', () => {
  expect(batching(80, 1000)).toEqual({ B: 80, batches: 8 });
  expect(batching(80, 100)).toEqual({ B: 80, batches: 1 });
  expect(batching(80, 30)).toEqual({ B: 30, batches: 1 });
  expect(batching(641, 1000)).toEqual({ B: 640, batches: 1 });
  expect(batching(80, 1000, 160)).toEqual({ B: 80, batches: 2 });
  expect(batching(2048, 700)).toEqual({ B: 640, batches: 1 });
});
