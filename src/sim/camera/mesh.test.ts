import { describe, expect, it } from 'vitest';
import type { GeomDescription } from './geom.ts';
import { geomMesh, type Mesh } from './mesh.ts';

type Shape = Pick<GeomDescription, 'kind' | 'size'> & { volume: number };
const CLOSED: Shape[] = [
  { kind: 'box', size: [0.1, 0.2, 0.3], volume: 0.2 * 0.4 * 0.6 },
  { kind: 'sphere', size: [0.3, 0, 0], volume: (4 / 3) * Math.PI * 0.3 ** 3 },
  { kind: 'ellipsoid', size: [0.1, 0.2, 0.4], volume: (4 / 3) * Math.PI * 0.1 * 0.2 * 0.4 },
  { kind: 'capsule', size: [0.1, 0.3, 0], volume: Math.PI * 0.1 ** 2 * (0.6 + (4 / 3) * 0.1) },
  { kind: 'cylinder', size: [0.2, 0.05, 0], volume: Math.PI * 0.2 ** 2 * 0.1 },
];
/** Sixteen flat sides inside a circle lose 2.6% of its area, eight chords from pole to pole twice as much. */
const FACET_LOSS = 0.07;
const ROUNDING = 1e-12;

type Vector = [number, number, number];
const minus = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const dot = (a: Vector, b: Vector) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
const vectorAt = (data: Float64Array, i: number) => [...data.subarray(3 * i, 3 * i + 3)] as Vector;

/** Corners, area vector (anticlockwise, so outward) and corner normals of each triangle. */
function faces(mesh: Mesh) {
  return Array.from({ length: mesh.triangles.length / 3 }, (_, t) => {
    const ids = [...mesh.triangles.subarray(3 * t, 3 * t + 3)];
    const [a, b, c] = ids.map((i) => vectorAt(mesh.positions, i)) as [Vector, Vector, Vector];
    const area = cross(minus(b, a), minus(c, a)).map((x) => x / 2) as Vector;
    return { a, area, normals: ids.map((i) => vectorAt(mesh.normals, i)) };
  });
}

describe.each(CLOSED)('$kind', (shape) => {
  const mesh = geomMesh(shape);
  const all = faces(mesh);

  it('is closed, faces outward and has the right volume', () => {
    for (const axis of [0, 1, 2])
      expect(Math.abs(all.reduce((sum, f) => sum + f.area[axis], 0))).toBeLessThan(ROUNDING);
    const volume = all.reduce((sum, { a, area }) => sum + dot(a, area) / 3, 0);
    expect(volume).toBeLessThanOrEqual(shape.volume * (1 + ROUNDING));
    expect(volume).toBeGreaterThan(shape.volume * (1 - FACET_LOSS));
  });

  it('has unit normals that point away from it', () => {
    for (const { area, normals } of all)
      for (const normal of normals) {
        expect(Math.abs(dot(normal, normal) - 1)).toBeLessThan(ROUNDING);
        expect(dot(normal, area)).toBeGreaterThan(0);
      }
  });

  it('lies within its radius and touches it', () => {
    const furthest = Math.max(...all.map(({ a }) => Math.sqrt(dot(a, a))));
    expect(Math.abs(mesh.radiusM - furthest)).toBeLessThan(ROUNDING);
  });
});

it('a plane faces up, is as large as told, and endless without a size', () => {
  const area = (mesh: Mesh) => faces(mesh).reduce((sum, f) => sum + f.area[2], 0);
  expect(area(geomMesh({ kind: 'plane', size: [0.5, 2, 0.1] }))).toBeCloseTo(4, 10);
  expect(area(geomMesh({ kind: 'plane', size: [0, 0, 0.1] }))).toBeCloseTo(256, 10);
});
