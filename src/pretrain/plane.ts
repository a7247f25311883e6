/** From a point of a picture to the world: where the ray through it meets the horizontal plane of a known height. */
import { tan } from '../math.ts';
import type { View } from '../sim/camera/index.ts';
import type { Point } from './cells.ts';

type Vec3 = readonly [number, number, number];

/**
 * @param view of a square picture
 * @param heightM of the plane, world
 * @returns m, world; undefined when the ray does not come down on the plane in front of the camera
 */
export function onPlane({ position, rotation, fovyDeg }: View, { x, y }: Point, heightM: number): Vec3 | undefined {
  const focal = 0.5 / tan((fovyDeg * Math.PI) / 360);
  const ray = [(x - 0.5) / focal, -(y - 0.5) / focal, -1];
  const [dx, dy, dz] = [0, 1, 2].map((i) => ray.reduce((sum, v, j) => sum + rotation[3 * i + j] * v, 0));
  const along = (heightM - position[2]) / dz;
  return Number.isFinite(along) && along > 0
    ? [position[0] + along * dx, position[1] + along * dy, heightM]
    : undefined;
}
