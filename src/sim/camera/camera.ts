/**
 * The policy's camera: geoms, poses and a view -> an RGB image, by rasterizing triangles (no OpenGL, nothing random).
 * Training and evaluation see through this one camera, and its images are the same to the bit on every machine.
 *
 * Convention: row 0 is the top of the picture, pixels are RGB, channels last. LIBERO's files hold images upside down
 * (OpenGL's convention); whoever writes or reads such a file turns them over, and no other place does.
 */
import { tan } from '../../math.ts';
import type { GeomDescription, GeomPoses, Look, View } from './geom.ts';
import { geomMesh } from './mesh.ts';
import { createRaster, SUBPIXELS } from './raster.ts';
import { clip, createVertices, DAYLIGHT, mayBeSeen, placeVertices, relativePose } from './vertices.ts';

/** 0xBBGGRR. */
const BACKGROUND = 0xdcd2c8;

export interface Camera {
  readonly width: number;
  readonly height: number;
  /**
   * @param out [height * width * 3] bytes to write into; a new array if absent
   * @param look absent: the geoms' own colours in daylight
   * @returns `out`: RGB, row 0 on top
   */
  render(poses: GeomPoses, view: View, out?: Uint8Array, look?: Look): Uint8Array;
  /** [256] of the last picture: how many samples, 2 x 2 a pixel, show the geoms of each group. */
  samplesOf(): Uint32Array;
}

/**
 * A camera for one scene. It keeps its buffers, and shows one picture at a time. Width and height are pixels.
 * @param options.groups [n] in [0, 255], for `samplesOf`; absent: all are of group 0
 */
export function createCamera(
  geoms: readonly GeomDescription[],
  { width, height, groups }: { width: number; height: number; groups?: ArrayLike<number> },
): Camera {
  for (const { name, rgba } of geoms)
    if (!rgba.every((channel) => channel >= 0 && channel <= 1))
      throw new RangeError(`The colour of geom '${name}' must lie in [0, 1]; got ${rgba.join(' ')}.`);
  const raster = createRaster(width, height);
  const items = geoms.flatMap(({ rgba, ...geom }, index) =>
    rgba[3] === 0 ? [] : [{ index, mesh: geomMesh(geom), group: groups?.[index] ?? 0 }],
  );
  const asBuilt: Look = { colours: geoms.flatMap(({ rgba }) => rgba.slice(0, 3)), light: DAYLIGHT };
  const vertices = createVertices(items.reduce((most, { mesh }) => Math.max(most, mesh.tones.length), 0));
  const toCamera = new Float64Array(12);

  function render(
    poses: GeomPoses,
    view: View,
    out = new Uint8Array(width * height * 3),
    look: Look = asBuilt,
  ): Uint8Array {
    if (poses.position.length !== 3 * geoms.length || poses.rotation.length !== 9 * geoms.length)
      throw new RangeError(
        `Expected poses of ${geoms.length} geoms (3 and 9 numbers each); ` +
          `got ${poses.position.length} and ${poses.rotation.length} numbers.`,
      );
    if (out.length !== width * height * 3)
      throw new RangeError(`Expected room for ${width} x ${height} RGB pixels; got ${out.length} bytes.`);
    // Rounded to float32, so that versions of V8 whose tangents differ in the last bit agree.
    const tangent = Math.fround(tan((view.fovyDeg * Math.PI) / 360));
    const projection = {
      focal: (raster.height * SUBPIXELS) / 2 / tangent,
      centreX: (raster.width * SUBPIXELS) / 2,
      centreY: (raster.height * SUBPIXELS) / 2,
    };
    raster.clear(BACKGROUND);
    for (const { index, mesh, group } of items) {
      relativePose(poses, index, view, toCamera);
      if (!mayBeSeen(toCamera, mesh.radiusM, tangent, width / height)) continue;
      const { count, allInFront } = placeVertices(
        mesh,
        toCamera,
        poses.rotation,
        index,
        projection,
        look.light,
        vertices,
      );
      const red = 255 * look.colours[3 * index];
      const green = 255 * look.colours[3 * index + 1];
      const blue = 255 * look.colours[3 * index + 2];
      const { triangles } = mesh;
      for (let t = 0; t < triangles.length; t += 3) {
        const a = triangles[t];
        const b = triangles[t + 1];
        const c = triangles[t + 2];
        if (allInFront) {
          raster.triangle(vertices, a, b, c, red, green, blue, group);
        } else {
          const corners = clip(vertices, a, b, c, count, projection);
          for (let k = 2; k < corners; k++)
            raster.triangle(
              vertices,
              vertices.polygon[0],
              vertices.polygon[k - 1],
              vertices.polygon[k],
              red,
              green,
              blue,
              group,
            );
        }
      }
    }
    raster.resolve(out);
    return out;
  }
  return { width, height, render, samplesOf: raster.samplesOf };
}
