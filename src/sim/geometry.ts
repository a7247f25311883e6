/** What a camera is told of a scene in the engine: its shapes, where they are, and where the camera is. */
import { NinaError } from '../errors.ts';
import type { GeomDescription, View } from './camera/index.ts';
import type { Physics } from './mujoco.ts';
import type { CameraName } from './pictures.ts';
import type { Vec3 } from './types.ts';

/** By MuJoCo's mjtGeom. */
const GEOM_KINDS: Readonly<Record<number, GeomDescription['kind']>> = {
  0: 'plane',
  2: 'sphere',
  3: 'capsule',
  4: 'ellipsoid',
  5: 'cylinder',
  6: 'box',
};

/** The shapes, in the order of `geomPosesOf`. @throws NinaError for one that no camera draws. */
export function geomsOf(physics: Physics): GeomDescription[] {
  const { model } = physics;
  return Array.from({ length: model.ngeom as number }, (_, i) => {
    const kind = GEOM_KINDS[model.geom_type[i] as number];
    if (!kind) throw new NinaError(`Geom ${i} of the scene is of a type that the camera cannot draw.`);
    return {
      name: physics.name('geom', i),
      kind,
      size: triple(model.geom_size, i),
      rgba: [...model.geom_rgba.subarray(4 * i, 4 * i + 4)] as [number, number, number, number],
    };
  });
}

/** World poses of the n geoms now: positions [3n], row-major rotations [9n]. */
export function geomPosesOf({ data }: Physics): { position: Float64Array; rotation: Float64Array } {
  return { position: data.geom_xpos.slice(), rotation: data.geom_xmat.slice() };
}

export function cameraPoseOf(physics: Physics, name: CameraName): View {
  const { data, model } = physics;
  const id = physics.id('camera', name);
  return {
    position: triple(data.cam_xpos, id),
    rotation: [...data.cam_xmat.subarray(9 * id, 9 * id + 9)],
    fovyDeg: model.cam_fovy[id],
  };
}

const triple = (all: Float64Array, i: number): Vec3 => [all[3 * i], all[3 * i + 1], all[3 * i + 2]];
