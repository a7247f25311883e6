import { expect, test } from 'vitest';
import { decayGroups } from './groups.ts';

test('matrices decay; biases, norms and the diagonal s do not; neighbours merge', () => {
  const groups = decayGroups([
    { path: 'a.weight', shape: [2, 2], offset: 0, size: 4 },
    { path: 'b.weight', shape: [2, 3], offset: 4, size: 6 },
    { path: 'a.bias', shape: [2], offset: 10, size: 2 },
    { path: 'norm.weight', shape: [2], offset: 12, size: 2 },
    { path: 'stack.norm.weight', shape: [3, 1, 2], offset: 14, size: 6 },
    { path: 'plu.s', shape: [3, 2], offset: 20, size: 6 },
    { path: 'plu.U', shape: [2, 2], offset: 26, size: 4 },
  ]);
  const all = { frozen: false, rate: 1 };
  expect(groups).toEqual([
    { start: 0, end: 10, decay: true, ...all },
    { start: 10, end: 26, decay: false, ...all },
    { start: 26, end: 30, decay: true, ...all },
  ]);
});
