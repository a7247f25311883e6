import { expect, test } from 'vitest';
import { cellOf, NOT_VISIBLE, offsetIn, pointAt } from './cells.ts';

test('cells are counted row by row behind the candidate for what is not to be seen', () => {
  expect(cellOf({ x: 0, y: 0 }, 7)).toBe(1);
  expect(cellOf({ x: 0.99, y: 0 }, 7)).toBe(7);
  expect(cellOf({ x: 0, y: 1 / 7 + 1e-9 }, 7)).toBe(8);
  expect(cellOf({ x: 0.999, y: 0.999 }, 7)).toBe(49);
  for (const outside of [-1e-9, 1, 1.5]) {
    expect(cellOf({ x: outside, y: 0.5 }, 7)).toBe(NOT_VISIBLE);
    expect(cellOf({ x: 0.5, y: outside }, 7)).toBe(NOT_VISIBLE);
  }
});

test('cell and offset give the point back, and the offset is within half a cell', () => {
  for (const point of [
    { x: 0.03, y: 0.97 },
    { x: 0.5, y: 0.5 },
    { x: 0.71, y: 0.142 },
  ]) {
    const cell = cellOf(point, 7);
    const offset = offsetIn(cell, point, 7);
    for (const o of offset) expect(Math.abs(o)).toBeLessThanOrEqual(0.5);
    const back = pointAt(cell, offset, 7);
    expect(back.x).toBeCloseTo(point.x, 12);
    expect(back.y).toBeCloseTo(point.y, 12);
  }
});
