/**
 * From a mesh in its own frame to corners on the screen: moved into the camera's frame, lit, projected, and cut at the
 * near plane. Everything is written into arrays made once, so that a frame allocates nothing.
 *
 * Pinhole: screen x = centre + focal * right / depth, screen y = centre - focal * up / depth. Brightness is ambient
 * light plus Lambert's cosine law for two distant lights, computed at the vertices (Gouraud), without shadows.
 */
import type { GeomPoses, Light, View } from './geom.ts';
import type { Mesh } from './mesh.ts';
import type { Corners } from './raster.ts';

/** The light of every picture that is not told otherwise. */
export const DAYLIGHT: Light = {
  ambient: 0.45,
  key: towards([0.5, 0.3, 1], 0.5),
  fill: towards([-0.4, -0.6, 0.5], 0.15),
};
/** What is nearer than this to the camera's plane is cut away, metres. */
const NEAR_M = 0.01;

/** Vertices of the mesh being drawn: in camera space (metres, depth positive in front) and on the screen. */
export interface Vertices extends Corners {
  /** Corners of the last triangle that `clip` cut. */
  polygon: Int32Array;
  right: Float64Array;
  up: Float64Array;
  depth: Float64Array;
}

export interface Projection {
  /** Grid steps per unit of right / depth. */
  focal: number;
  centreX: number;
  centreY: number;
}

export function createVertices(most: number): Vertices {
  // Clipping a triangle adds two.
  const array = () => new Float64Array(most + 2);
  return {
    polygon: new Int32Array(4),
    right: array(),
    up: array(),
    depth: array(),
    x: array(),
    y: array(),
    inverseDepth: array(),
    shade: array(),
  };
}

/** Geom to camera, as three rows (rotation | translation). */
export function relativePose({ position, rotation }: GeomPoses, index: number, view: View, out: Float64Array): void {
  const t = 3 * index;
  const r = 9 * index;
  for (let row = 0; row < 3; row++) {
    const a = view.rotation[row];
    const b = view.rotation[3 + row];
    const c = view.rotation[6 + row];
    for (let column = 0; column < 3; column++)
      out[4 * row + column] = a * rotation[r + column] + b * rotation[r + 3 + column] + c * rotation[r + 6 + column];
    out[4 * row + 3] =
      a * (position[t] - view.position[0]) +
      b * (position[t + 1] - view.position[1]) +
      c * (position[t + 2] - view.position[2]);
  }
}

/** Whether the bounding sphere reaches into the pyramid of vision. */
export function mayBeSeen(toCamera: Float64Array, radiusM: number, tangentY: number, aspect: number): boolean {
  const depth = -toCamera[11];
  const tangentX = tangentY * aspect;
  return (
    depth + radiusM > NEAR_M &&
    Math.abs(toCamera[3]) < depth * tangentX + radiusM * Math.sqrt(1 + tangentX * tangentX) &&
    Math.abs(toCamera[7]) < depth * tangentY + radiusM * Math.sqrt(1 + tangentY * tangentY)
  );
}

/** Fills `out` with the mesh's vertices: moved, lit and projected. */
export function placeVertices(
  { positions, normals, tones }: Mesh,
  m: Float64Array,
  rotation: ArrayLike<number>,
  index: number,
  projection: Projection,
  { ambient, key, fill }: Light,
  out: Vertices,
): { count: number; allInFront: boolean } {
  const r = 9 * index;
  const turned = (l: readonly number[], column: number) =>
    l[0] * rotation[r + column] + l[1] * rotation[r + 3 + column] + l[2] * rotation[r + 6 + column];
  const kx = turned(key, 0);
  const ky = turned(key, 1);
  const kz = turned(key, 2);
  const fx = turned(fill, 0);
  const fy = turned(fill, 1);
  const fz = turned(fill, 2);
  const count = tones.length;
  let allInFront = true;
  for (let i = 0, p = 0; i < count; i++, p += 3) {
    const x = positions[p];
    const y = positions[p + 1];
    const z = positions[p + 2];
    const depth = -(m[8] * x + m[9] * y + m[10] * z + m[11]);
    out.right[i] = m[0] * x + m[1] * y + m[2] * z + m[3];
    out.up[i] = m[4] * x + m[5] * y + m[6] * z + m[7];
    out.depth[i] = depth;
    const nx = normals[p];
    const ny = normals[p + 1];
    const nz = normals[p + 2];
    const lambert = Math.max(0, nx * kx + ny * ky + nz * kz) + Math.max(0, nx * fx + ny * fy + nz * fz);
    out.shade[i] = tones[i] * Math.min(1, ambient + lambert);
    if (depth >= NEAR_M) project(out, i, projection);
    else allInFront = false;
  }
  return { count, allInFront };
}

function project(v: Vertices, i: number, { focal, centreX, centreY }: Projection): void {
  const inverseDepth = 1 / v.depth[i];
  v.inverseDepth[i] = inverseDepth;
  v.x[i] = Math.round(centreX + focal * v.right[i] * inverseDepth);
  v.y[i] = Math.round(centreY - focal * v.up[i] * inverseDepth);
}

/** Cuts a triangle at the near plane, with new vertices from index `free` on; returns how many corners it has then. */
export function clip(v: Vertices, a: number, b: number, c: number, free: number, projection: Projection): number {
  let corners = 0;
  let next = free;
  for (let edge = 0; edge < 3; edge++) {
    const from = edge === 0 ? a : edge === 1 ? b : c;
    const to = edge === 0 ? b : edge === 1 ? c : a;
    const inFront = v.depth[from] >= NEAR_M;
    if (inFront) v.polygon[corners++] = from;
    if (inFront === v.depth[to] >= NEAR_M) continue;
    const k = (NEAR_M - v.depth[from]) / (v.depth[to] - v.depth[from]);
    v.right[next] = v.right[from] + k * (v.right[to] - v.right[from]);
    v.up[next] = v.up[from] + k * (v.up[to] - v.up[from]);
    v.shade[next] = v.shade[from] + k * (v.shade[to] - v.shade[from]);
    v.depth[next] = NEAR_M;
    project(v, next, projection);
    v.polygon[corners++] = next++;
  }
  return corners;
}

/** A light of this strength from this direction. */
export function towards([x, y, z]: Light['key'], strength: number): Light['key'] {
  const length = Math.sqrt(x * x + y * y + z * z);
  return [(strength * x) / length, (strength * y) / length, (strength * z) / length];
}
