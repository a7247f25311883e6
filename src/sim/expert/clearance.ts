/** Whether the open gripper can come down at a pose without touching anything: a few points of it against every solid. */
import { cos, hypot, sin } from '../../math.ts';
import type { Geom } from '../mjcf.ts';
import { add, minus, rotate } from '../rotation.ts';
import type { Scene } from '../scene.ts';
import type { Quat, Vec3, WorldObservation } from '../types.ts';
import { entityOf, type HandPose } from './waypoint.ts';

export interface Solid {
  geom: Geom;
  position: Vec3;
  quaternion: Quat;
}

/** Room kept around the gripper, metres. */
const MARGIN_M = 0.006;

/**
 * Points of the open gripper: along the fingers' travel, across it, and up from the pads' centre, metres; see arm.ts.
 * Half of them: the other half is the mirror image.
 */
const GRIPPER: readonly Vec3[] = [
  ...grid([0.042, 0.056], [-0.01, 0.01], [-0.012, 0.012, 0.036]),
  ...grid(
    [0, 0.0125, 0.025, 0.0375, 0.05, 0.0625, 0.075, 0.0875, 0.1],
    [-0.03, -0.015, 0, 0.015, 0.03],
    [0.043, 0.06, 0.08],
  ),
];
/** No point of the gripper is further from the pads' centre, metres. */
const GRIPPER_RADIUS_M = 0.15;

function grid(along: number[], across: number[], up: number[]): Vec3[] {
  return along.flatMap((a) => across.flatMap((b) => up.map((c): Vec3 => [a, b, c])));
}

/** Every shape with mass in the scene but those of one object, where it is now. */
export function obstacles(scene: Scene, o: WorldObservation, except: string): Solid[] {
  const rigid = [...scene.objects, ...scene.fixtures]
    .filter(({ name }) => name !== except)
    .flatMap(({ name, kind }) => {
      const { position, quaternion } = entityOf(o, name);
      return kind.geoms.map((geom) => ({ geom, position, quaternion }));
    });
  const parts = scene.parts.flatMap(({ name, kind }) => {
    const { position: handle, quaternion } = entityOf(o, name);
    const position = minus(handle, rotate(quaternion, kind.handle));
    return kind.geoms.map((geom) => ({ geom, position, quaternion }));
  });
  return [...rigid, ...parts].filter(({ geom }) => geom.massKg !== undefined);
}

export function handFits({ position, yaw }: HandPose, solids: readonly Solid[]): boolean {
  const [c, s] = [cos(yaw), sin(yaw)];
  const near = solids.filter(({ geom, position: from, quaternion }) => {
    const centre = add(from, rotate(quaternion, geom.at ?? [0, 0, 0]));
    return hypot(...minus(centre, position)) < GRIPPER_RADIUS_M + hypot(...geom.size) + MARGIN_M;
  });
  return GRIPPER.every(([along, across, up]) =>
    [1, -1].every((side) => {
      const point = add(position, [side * along * c - across * s, side * along * s + across * c, up]);
      return !near.some((solid) => contains(solid, point));
    }),
  );
}

function contains({ geom, position, quaternion: [w, x, y, z] }: Solid, point: Vec3): boolean {
  const [dx, dy, dz] = minus(rotate([w, -x, -y, -z], minus(point, position)), geom.at ?? [0, 0, 0]);
  if (geom.kind === 'cylinder')
    return hypot(dx, dy) < geom.size[0] + MARGIN_M && Math.abs(dz) < geom.size[1] + MARGIN_M;
  const [c, s] = [cos(geom.yaw ?? 0), sin(geom.yaw ?? 0)];
  const local = [c * dx + s * dy, c * dy - s * dx, dz];
  return local.every((v, i) => Math.abs(v) < geom.size[i] + MARGIN_M);
}
