import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createCamera } from './camera.ts';
import type { GeomDescription, View } from './geom.ts';

const SIZE = 128;
const UPRIGHT = [1, 0, 0, 0, 1, 0, 0, 0, 1];
const BACKGROUND = '200 210 220';
/** Straight down from 2 m; at 90 degrees the ground is 4 m wide, so a pixel is 1/32 m. */
const DOWN: View = { position: [0, 0, 2], rotation: UPRIGHT, fovyDeg: 90 };
const PIXEL_M = 4 / SIZE;
/** From the origin along +x, z up: right is -y. */
const ALONG_X: View = { position: [0, 0, 0], rotation: [0, 0, -1, -1, 0, 0, 0, 1, 0], fovyDeg: 90 };

type Placed = Omit<GeomDescription, 'name'> & { at: readonly number[]; turned?: readonly number[] };

function look(geoms: Placed[], view: View) {
  const camera = createCamera(
    geoms.map((geom, i) => ({ name: `${i}`, kind: geom.kind, size: geom.size, rgba: geom.rgba })),
    { width: SIZE, height: SIZE },
  );
  const poses = {
    position: Float64Array.from(geoms.flatMap(({ at }) => [...at])),
    rotation: Float64Array.from(geoms.flatMap(({ turned }) => [...(turned ?? UPRIGHT)])),
  };
  const image = camera.render(poses, view);
  const pixel = (row: number, column: number) =>
    [...image.subarray(3 * (row * SIZE + column)).subarray(0, 3)].join(' ');
  let covered = 0;
  for (let i = 0; i < SIZE * SIZE; i++) if (pixel(0, i) !== BACKGROUND) covered++;
  return { image, pixel, covered };
}

/** A cube whose top, 1 m square, lies in the plane z = 0 round (x, y). */
const cube = (x: number, y: number, rgba: Placed['rgba']): Placed => ({
  kind: 'box',
  size: [0.5, 0.5, 0.5],
  rgba,
  at: [x, y, -0.5],
});
const RED = [1, 0, 0, 1] as const;
const BLUE = [0, 0, 1, 1] as const;

describe('projection', () => {
  it('puts a surface on exactly the pixels it fills, row 0 on top, x to the right', () => {
    const { pixel, covered } = look([cube(1, 0.5, RED)], DOWN);
    const top = pixel(48, 96);
    expect(top).toMatch(/^2\d\d 0 0$/);
    // Centre 64 + 32, 64 - 16; half a side is 16 pixels.
    for (const [row, column, wanted] of [
      [32, 80, top],
      [63, 111, top],
      [31, 80, BACKGROUND],
      [32, 112, BACKGROUND],
      [64, 111, BACKGROUND],
    ] as const)
      expect(pixel(row, column), `${row} ${column}`).toBe(wanted);
    // Seen from the middle, the cube also shows part of its inner sides.
    expect(covered).toBeGreaterThan(32 * 32);
  });

  it('turns with the camera', () => {
    const ball: Placed = { kind: 'sphere', size: [0.1, 0, 0], rgba: RED, at: [2, 1, 1] };
    const { pixel } = look([ball], ALONG_X);
    expect(pixel(32, 32)).toMatch(/ 0 0$/);
  });

  it('has the field of view in the vertical of a wide image', () => {
    const camera = createCamera([{ name: 'a', kind: 'box', size: [1, 1, 1], rgba: RED }], { width: 256, height: 128 });
    const image = camera.render({ position: [0, 0, -1], rotation: UPRIGHT }, DOWN);
    const row = Array.from({ length: 256 }, (_, x) => image[3 * (64 * 256 + x) + 1] === 0);
    expect([row.indexOf(true), row.lastIndexOf(true)]).toEqual([96, 159]);
  });
});

it('shows what is in front, in whatever order geoms are listed', () => {
  const low = cube(0, 0, RED);
  const high: Placed = { kind: 'box', size: [0.1, 0.1, 0.1], rgba: BLUE, at: [0, 0, 0.5] };
  const { image, pixel } = look([low, high], DOWN);
  expect(pixel(64, 64)).toMatch(/^0 0 /);
  expect(pixel(52, 64)).toMatch(/ 0 0$/);
  expect(look([high, low], DOWN).image).toEqual(image);
});

it('cuts at the near plane without tearing', () => {
  // A floor 5 mm under the eye that runs behind it: from the horizon (5 mm at 8 m) to 10 mm in front, 32 rows below.
  const floor: Placed = { kind: 'plane', size: [0, 0, 1], rgba: [1, 1, 1, 1], at: [0, 0, -0.005] };
  const { pixel } = look([floor], ALONG_X);
  for (let column = 0; column < SIZE; column++) {
    expect(pixel(63, column)).toBe(BACKGROUND);
    for (let row = 65; row < 96; row++) expect(pixel(row, column), `${row} ${column}`).not.toBe(BACKGROUND);
    for (let row = 96; row < SIZE; row++) expect(pixel(row, column)).toBe(BACKGROUND);
  }
});

it('mixes colours where an edge crosses a pixel', () => {
  const { pixel } = look([cube(0.5 * PIXEL_M, 0, BLUE)], DOWN);
  const blue = Number(pixel(64, 64).split(' ')[2]);
  const half = [200, 210, 220 + blue].map((sum) => Math.round(sum / 2)).join(' ');
  expect(pixel(64, 80)).toBe(half);
  expect(pixel(64, 81)).toBe(BACKGROUND);
});

describe('what is not there', () => {
  it.each([
    ['behind the camera', { ...cube(0, 0, RED), at: [0, 0, 3] }],
    ['beside the picture', cube(4, 0, RED)],
    ['fully transparent', cube(0, 0, [1, 0, 0, 0])],
    ['round the camera', { ...cube(0, 0, RED), at: [0, 0, 2] }],
  ] satisfies [string, Placed][])('%s', (_, geom) => {
    expect(look([geom], DOWN).covered).toBe(0);
  });

  it('keeps what reaches into the picture from outside', () => {
    // The edge of vision is the plane x = depth; this ball's centre is 0.9 radii beyond it.
    const ball: Placed = { kind: 'sphere', size: [0.5, 0, 0], rgba: RED, at: [2 + 0.45 * Math.SQRT2, 0, 0] };
    expect(look([ball], DOWN).covered).toBeGreaterThan(0);
  });
});

it('is brighter where a surface faces the light, never dark', () => {
  const { pixel } = look([{ kind: 'sphere', size: [0.9, 0, 0], rgba: [1, 1, 1, 1], at: [0, 0, 0] }], DOWN);
  const level = (row: number, column: number) => Number(pixel(row, column).split(' ')[0]);
  expect(level(56, 76)).toBeGreaterThan(level(85, 45));
  expect(level(85, 45)).toBeGreaterThan(100);
});

describe('the same to the bit', () => {
  // Tilted by the rotation with integer quaternion (1, 2, 3, 4) / sqrt(30): every kind, hidden and cut surfaces.
  const turned = [-20, 4, 22, 20, -10, 20, 10, 28, 4].map((x) => x / 30);
  const kinds = ['box', 'sphere', 'capsule', 'cylinder', 'ellipsoid'] as const;
  const scene: Placed[] = [
    { kind: 'plane', size: [1.5, 1.5, 0.1], rgba: [0.8, 0.7, 0.6, 1], at: [0, 0, -0.2] },
    ...kinds.map(
      (kind, i): Placed => ({
        kind,
        size: [0.3, 0.2, 0.25],
        rgba: [i / 4, 0.5, 1 - i / 4, 1],
        at: [(i % 3) - 1, i % 2, 0.1 * i],
        turned,
      }),
    ),
  ];

  it('golden picture', () => {
    // sha256 of the RGB bytes. Changes only with the camera's code: then look at the picture, and bump.
    const hash = createHash('sha256').update(look(scene, DOWN).image).digest('hex');
    expect(hash.slice(0, 16)).toBe('e6a3777974d5de36');
  });

  it('a used camera sees what a new one sees, and writes where it is told', () => {
    const geoms = scene.map((geom, i) => ({ ...geom, name: `${i}` }));
    const camera = createCamera(geoms, { width: SIZE, height: SIZE });
    const poses = {
      position: scene.flatMap(({ at }) => [...at]),
      rotation: scene.flatMap((geom) => [...(geom.turned ?? UPRIGHT)]),
    };
    const out = new Uint8Array(SIZE * SIZE * 3);
    camera.render(poses, ALONG_X, out);
    expect(camera.render(poses, DOWN, out)).toBe(out);
    expect(out).toEqual(look(scene, DOWN).image);
  });
});

describe('refuses', () => {
  const camera = createCamera([{ ...cube(0, 0, RED), name: 'cube' }], { width: 8, height: 8 });
  it('a colour out of range', () => {
    expect(() => createCamera([{ ...cube(0, 0, [1.5, 0, 0, 1]), name: 'cube' }], { width: 8, height: 8 })).toThrow(
      "The colour of geom 'cube' must lie in [0, 1]; got 1.5 0 0 1.",
    );
  });
  it('poses of another scene', () => {
    expect(() => camera.render({ position: [0, 0, 0, 1, 1, 1], rotation: UPRIGHT }, DOWN)).toThrow(
      'Expected poses of 1 geoms (3 and 9 numbers each); got 6 and 9 numbers.',
    );
  });
  it('an array of another size', () => {
    expect(() => camera.render({ position: [0, 0, 0], rotation: UPRIGHT }, DOWN, new Uint8Array(4))).toThrow(
      'Expected room for 8 x 8 RGB pixels; got 4 bytes.',
    );
  });
});
