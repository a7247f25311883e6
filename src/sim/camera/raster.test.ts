import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createRaster, SUBPIXELS } from './raster.ts';

const SIZE = 12;
const GRID = 2 * SIZE * SUBPIXELS;
const WHITE = [255, 255, 255] as const;

type Point = [x: number, y: number];
const corners = (points: Point[], inverseDepth: (p: Point) => number = () => 1) => ({
  x: Float64Array.from(points, ([x]) => x),
  y: Float64Array.from(points, ([, y]) => y),
  inverseDepth: Float64Array.from(points, inverseDepth),
  shade: new Float64Array(points.length).fill(1),
});

/** Samples (0 to 4) that the triangle covers in each pixel. */
function coverage(points: Point[]): number[] {
  const raster = createRaster(SIZE, SIZE);
  raster.clear(0);
  const out = new Uint8Array(3 * SIZE * SIZE);
  raster.triangle(corners(points), 0, 1, 2, ...WHITE);
  raster.resolve(out);
  return Array.from({ length: SIZE * SIZE }, (_, i) => Math.round((4 * out[3 * i]) / 255));
}

const signedArea = ([a, b, c]: Point[]) => (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1]);

it('covers every sample of a split square exactly once, wherever the triangles meet', () => {
  // Corners far outside test the clipping to the image; multiples of half a sample put corners and edges on centres.
  const outside = fc.integer({ min: 0, max: 40 * GRID });
  const inside = fc.oneof(
    fc.integer({ min: 1, max: GRID - 1 }),
    fc.integer({ min: 1, max: 4 * SIZE - 1 }).map((k) => (k * SUBPIXELS) / 2),
  );
  fc.assert(
    fc.property(outside, fc.tuple(inside, inside), (beyond, middle) => {
      const [low, high] = [-beyond, GRID + beyond];
      const square = (left: number, top: number, right: number, bottom: number): Point[] => [
        [left, top],
        [left, bottom],
        [right, bottom],
        [right, top],
      ];
      const fan = square(low, low, high, high).map((corner, i, all) => [corner, all[(i + 1) % 4], middle]);
      const [x, y] = middle;
      const quarters = [
        square(low, low, x, y),
        square(x, low, high, y),
        square(low, y, x, high),
        square(x, y, high, high),
      ].flatMap(([a, b, c, d]) => [
        [a, b, c],
        [a, c, d],
      ]);
      for (const triangles of [fan, quarters]) {
        const total = new Array<number>(SIZE * SIZE).fill(0);
        for (const triangle of triangles) {
          expect(signedArea(triangle)).toBeLessThan(0);
          coverage(triangle).forEach((n, pixel) => {
            total[pixel] += n;
          });
        }
        expect(new Set(total)).toEqual(new Set([4]));
      }
    }),
  );
});

it('draws only anticlockwise triangles', () => {
  const triangle: Point[] = [
    [0, 0],
    [0, GRID],
    [GRID, GRID],
  ];
  expect(Math.max(...coverage(triangle))).toBe(4);
  expect(Math.max(...coverage(triangle.reverse()))).toBe(0);
});

it('decides sample by sample what is nearer, in either order', () => {
  // Two surfaces that cross in the middle column: red is nearer on the left, blue on the right.
  const square: Point[] = [
    [0, 0],
    [0, GRID],
    [GRID, GRID],
    [GRID, 0],
  ];
  const red = corners(square, ([x]) => 2 - x / GRID);
  const blue = corners(square, ([x]) => 1 + x / GRID);
  const picture = (blueFirst: boolean) => {
    const raster = createRaster(SIZE, SIZE);
    const out = new Uint8Array(3 * SIZE * SIZE);
    raster.clear(0);
    const layers = [
      { surface: red, colour: [200, 0, 0] as const },
      { surface: blue, colour: [0, 0, 100] as const },
    ];
    for (const {
      surface,
      colour: [r, g, b],
    } of blueFirst ? layers.reverse() : layers)
      for (const k of [1, 2]) raster.triangle(surface, 0, k, k + 1, r, g, b);
    raster.resolve(out);
    return out;
  };
  const out = picture(false);
  expect(out).toEqual(picture(true));
  for (let i = 0; i < SIZE * SIZE; i++)
    expect([...out.subarray(3 * i, 3 * i + 3)]).toEqual(i % SIZE < SIZE / 2 ? [200, 0, 0] : [0, 0, 100]);
});

it('interpolates shade over the triangle', () => {
  const points: Point[] = [
    [0, 0],
    [0, GRID],
    [GRID, GRID],
    [GRID, 0],
  ];
  const ramp = { ...corners(points), shade: Float64Array.of(0, 0, 1, 1) };
  const raster = createRaster(SIZE, SIZE);
  const out = new Uint8Array(3 * SIZE * SIZE);
  raster.clear(0);
  for (const k of [1, 2]) raster.triangle(ramp, 0, k, k + 1, ...WHITE);
  raster.resolve(out);
  // Samples are rounded down one by one, so a pixel may be one level below the ramp at its centre.
  for (let column = 0; column < SIZE; column++) {
    const wanted = (255 * (column + 0.5)) / SIZE;
    expect(Math.abs(out[3 * column] - wanted)).toBeLessThanOrEqual(1);
  }
});
