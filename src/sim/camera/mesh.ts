/**
 * Geoms as triangle meshes, made once per scene.
 *
 * Angles come from bisecting right angles with square roots, not from a sine: IEEE square roots are exact, while
 * sines differ in the last bit between versions of V8, and images must be the same to the bit everywhere.
 */
import { hypot } from '../../math.ts';
import type { GeomDescription } from './geom.ts';

export interface Mesh {
  /** [3n] metres, geom frame. */
  positions: Float64Array;
  /** [3n] unit normals. */
  normals: Float64Array;
  /** [n] factor on the geom's colour. */
  tones: Float64Array;
  /** [3m] vertex indices, anticlockwise seen from outside. */
  triangles: Uint16Array;
  /** Radius of the bounding sphere round the geom's origin, metres. */
  radiusM: number;
}

/** Half the side of the square that stands for an endless plane, metres. */
const ENDLESS_M = 8;
/** A plane is a chequerboard of so many tiles a side, every other one darker, so that distance is visible. */
const TILES = 16;
const DARK_TILE = 0.93;

type Point = readonly [x: number, y: number, z: number];

/** cos and sin of k * 90 degrees / steps for k = 0..4 * steps; steps is a power of two. */
function circle(steps: number): { cos: number; sin: number }[] {
  let quarter = [
    { cos: 1, sin: 0 },
    { cos: 0, sin: 1 },
  ];
  while (quarter.length <= steps) {
    quarter = quarter.flatMap((a, i) => {
      const b = quarter[i + 1];
      if (!b) return [a];
      const length = hypot(a.cos + b.cos, a.sin + b.sin);
      return [a, { cos: (a.cos + b.cos) / length, sin: (a.sin + b.sin) / length }];
    });
  }
  const open = quarter.slice(0, -1);
  return [
    ...open,
    ...open.map(({ cos, sin }) => ({ cos: -sin, sin: cos })),
    ...open.map(({ cos, sin }) => ({ cos: -cos, sin: -sin })),
    ...open.map(({ cos, sin }) => ({ cos: sin, sin: -cos })),
    { cos: 1, sin: 0 },
  ];
}

/** Sixteen sides: at 128 pixels the corners do not show. */
const AROUND = circle(4);
/** From the south pole to the north pole, as (radius, height) on the unit sphere. */
const POLE_TO_POLE = [...AROUND.slice(12), ...AROUND.slice(1, 5)];

class Builder {
  readonly #positions: number[] = [];
  readonly #normals: number[] = [];
  readonly #tones: number[] = [];
  readonly #triangles: number[] = [];

  vertex(position: Point, normal: Point, tone = 1): number {
    const length = hypot(normal[0], normal[1], normal[2]);
    this.#positions.push(...position);
    this.#normals.push(...normal.map((n) => n / length));
    return this.#tones.push(tone) - 1;
  }

  /** A flat parallelogram with corners p, p+u, p+u+v, p+v, anticlockwise seen from the side that `normal` points to. */
  quad(p: Point, u: Point, v: Point, normal: Point, tone = 1): void {
    const at = (a: number, b: number): Point => [
      p[0] + a * u[0] + b * v[0],
      p[1] + a * u[1] + b * v[1],
      p[2] + a * u[2] + b * v[2],
    ];
    const [a, b, c, d] = [at(0, 0), at(1, 0), at(1, 1), at(0, 1)].map((q) => this.vertex(q, normal, tone));
    this.#triangles.push(a, b, c, a, c, d);
  }

  /** The surface swept by a polyline of (radius, height, normal) turning round z; `scale` stretches the result. */
  lathe(profile: readonly { r: number; z: number; nr: number; nz: number }[], scale: Point = [1, 1, 1]): void {
    const [sx, sy, sz] = scale;
    const rings = profile.map(({ r, z, nr, nz }) =>
      AROUND.map(({ cos, sin }) =>
        this.vertex([r * cos * sx, r * sin * sy, z * sz], [(nr * cos) / sx, (nr * sin) / sy, nz / sz]),
      ),
    );
    for (let i = 0; i + 1 < rings.length; i++) {
      const [low, high] = [rings[i], rings[i + 1]];
      for (let k = 0; k + 1 < AROUND.length; k++) {
        // At a pole one of the two triangles has no area.
        if (profile[i].r > 0) this.#triangles.push(low[k], low[k + 1], high[k + 1]);
        if (profile[i + 1].r > 0) this.#triangles.push(low[k], high[k + 1], high[k]);
      }
    }
  }

  build(): Mesh {
    const positions = Float64Array.from(this.#positions);
    let radius = 0;
    for (let i = 0; i < positions.length; i += 3)
      radius = Math.max(radius, hypot(positions[i], positions[i + 1], positions[i + 2]));
    return {
      positions,
      normals: Float64Array.from(this.#normals),
      tones: Float64Array.from(this.#tones),
      triangles: Uint16Array.from(this.#triangles),
      radiusM: radius,
    };
  }
}

/** The mesh of one geom, in its own frame. */
export function geomMesh({ kind, size }: Pick<GeomDescription, 'kind' | 'size'>): Mesh {
  const builder = new Builder();
  const [a, b, c] = size;
  const ball = POLE_TO_POLE.map(({ cos, sin }) => ({ r: Math.max(0, cos), z: sin, nr: cos, nz: sin }));
  switch (kind) {
    case 'plane':
      addPlane(builder, a || ENDLESS_M, b || ENDLESS_M);
      break;
    case 'box':
      addBox(builder, size);
      break;
    case 'sphere':
      builder.lathe(ball, [a, a, a]);
      break;
    case 'ellipsoid':
      builder.lathe(ball, [a, b, c]);
      break;
    case 'capsule': {
      const equator = (ball.length - 1) / 2;
      const cap = (point: (typeof ball)[number], shift: number) => ({
        ...point,
        r: a * point.r,
        z: a * point.z + shift,
      });
      builder.lathe([
        ...ball.slice(0, equator + 1).map((point) => cap(point, -b)),
        ...ball.slice(equator).map((point) => cap(point, b)),
      ]);
      break;
    }
    case 'cylinder':
      builder.lathe([
        { r: 0, z: -b, nr: 0, nz: -1 },
        { r: a, z: -b, nr: 0, nz: -1 },
      ]);
      builder.lathe([
        { r: a, z: -b, nr: 1, nz: 0 },
        { r: a, z: b, nr: 1, nz: 0 },
      ]);
      builder.lathe([
        { r: a, z: b, nr: 0, nz: 1 },
        { r: 0, z: b, nr: 0, nz: 1 },
      ]);
      break;
  }
  return builder.build();
}

function addPlane(builder: Builder, halfX: number, halfY: number): void {
  const [stepX, stepY] = [(2 * halfX) / TILES, (2 * halfY) / TILES];
  for (let i = 0; i < TILES; i++)
    for (let j = 0; j < TILES; j++)
      builder.quad(
        [i * stepX - halfX, j * stepY - halfY, 0],
        [stepX, 0, 0],
        [0, stepY, 0],
        [0, 0, 1],
        (i + j) % 2 === 0 ? 1 : DARK_TILE,
      );
}

function addBox(builder: Builder, [x, y, z]: Point): void {
  builder.quad([x, -y, -z], [0, 2 * y, 0], [0, 0, 2 * z], [1, 0, 0]);
  builder.quad([-x, y, -z], [0, -2 * y, 0], [0, 0, 2 * z], [-1, 0, 0]);
  builder.quad([x, y, -z], [-2 * x, 0, 0], [0, 0, 2 * z], [0, 1, 0]);
  builder.quad([-x, -y, -z], [2 * x, 0, 0], [0, 0, 2 * z], [0, -1, 0]);
  builder.quad([-x, -y, z], [2 * x, 0, 0], [0, 2 * y, 0], [0, 0, 1]);
  builder.quad([x, -y, -z], [-2 * x, 0, 0], [0, 2 * y, 0], [0, 0, -1]);
}
