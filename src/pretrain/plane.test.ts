import { expect, test } from 'vitest';
import { onPlane } from './plane.ts';

/** Above the origin, looking down; x of the picture is the world's x, up is its y. */
const down = { position: [0, 0, 2] as const, rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1], fovyDeg: 90 };

test('the centre of a picture taken from above is the point below, its edge at 45 degrees is as far away as it is deep', () => {
  expect(onPlane(down, { x: 0.5, y: 0.5 }, 0)).toEqual([0, 0, 0]);
  const corner = onPlane(down, { x: 1, y: 0 }, 0.5)!;
  expect(corner[0]).toBeCloseTo(1.5, 12);
  expect(corner[1]).toBeCloseTo(1.5, 12);
  expect(corner[2]).toBe(0.5);
});

test('a ray that does not come down on the plane meets nothing', () => {
  expect(onPlane(down, { x: 0.5, y: 0.5 }, 3)).toBeUndefined();
  const level = { ...down, rotation: [1, 0, 0, 0, 0, -1, 0, 1, 0] };
  expect(onPlane(level, { x: 0.5, y: 0.5 }, 0)).toBeUndefined();
});
