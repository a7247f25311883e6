/**
 * What the camera is told of a scene: shapes once, their poses per frame, and where to look from.
 * The conventions are MuJoCo's, so that a model's geoms and cameras can be handed over as they are.
 */
type Vec3 = readonly [number, number, number];

export interface GeomDescription {
  name: string;
  kind: 'plane' | 'box' | 'sphere' | 'capsule' | 'cylinder' | 'ellipsoid';
  /**
   * MuJoCo sizes, metres: half-sizes of a box and a plane (0: endless), radii of an ellipsoid, radius of a sphere,
   * radius and half-length (without the caps) of a capsule or cylinder, whose axis is z.
   */
  size: Vec3;
  /** In [0, 1]. Alpha 0 is invisible; any other alpha is opaque. */
  rgba: readonly [number, number, number, number];
}

/** World poses of the n geoms, in the order of their descriptions. */
export interface GeomPoses {
  /** [3n], metres. */
  position: ArrayLike<number>;
  /** [9n], row-major rotation matrices, geom to world. */
  rotation: ArrayLike<number>;
}

/** How a picture looks where it is not as the scene was built. */
export interface Look {
  /** [3n] red, green and blue of the geoms, in [0, 1]. */
  colours: ArrayLike<number>;
  light: Light;
}

/** Two distant lights without shadows, and light from everywhere. */
export interface Light {
  ambient: number;
  /** Directions to the lights in the world, of unit length times their strength. */
  key: Vec3;
  fill: Vec3;
}

export interface View {
  /** Metres, world. */
  position: Vec3;
  /** [9] row-major, camera to world: the camera looks along its -z, x is right, y is up. */
  rotation: ArrayLike<number>;
  /** Vertical field of view, degrees. */
  fovyDeg: number;
}
