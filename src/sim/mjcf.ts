/** Primitive shapes as data, and their MJCF. */
import type { Vec3 } from './types.ts';

export interface Geom {
  kind: 'box' | 'cylinder';
  /** MuJoCo half-sizes, metres: a box's three, a cylinder's radius and half-height. */
  size: Vec3;
  /** Centre in the body's frame. */
  at?: Vec3;
  /** About the body's z, rad. */
  yaw?: number;
  rgb: readonly [number, number, number];
  /** Absent: paint only, neither mass nor contact. Fixtures may carry any mass: they do not move. */
  massKg?: number;
}

function geomElement(name: string, { kind, size, at = [0, 0, 0], yaw = 0, rgb, massKg }: Geom): string {
  const physical = massKg === undefined ? 'mass="0" contype="0" conaffinity="0"' : `mass="${massKg}"`;
  return `<geom name="${name}" type="${kind}" size="${size.join(' ')}" pos="${at.join(' ')}" euler="0 0 ${yaw}" rgba="${rgb.join(' ')} 1" ${physical}/>`;
}

/** The geoms of a body, named `<body>_g<i>`. */
export function geomElements(body: string, geoms: readonly Geom[]): string {
  return geoms.map((geom, i) => geomElement(`${body}_g${i}`, geom)).join('');
}
